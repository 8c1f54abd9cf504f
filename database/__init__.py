"""PostgreSQL itself: the embedded server, connections, migrations and the loader of named SQL.

Below it stands only the domain, so what every room above needs of the machine is here too: the settings of the
environment, the clock, private files, and `standstills`, the table of what waits for something outside the log.
"""
