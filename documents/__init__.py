"""Papers: what the log says, drawn so that the same facts give the same bytes on any day and any machine."""
