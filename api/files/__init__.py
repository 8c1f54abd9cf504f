"""Files that people send: received in bounds, told by their content, kept under a name of ours."""
