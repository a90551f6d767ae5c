"""The command line as a client of a server that runs elsewhere: its management API over HTTP."""
