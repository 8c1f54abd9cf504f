"""What is true: aggregates, events, money, postings and policies. Pure: the standard library and eventsourcing only."""
