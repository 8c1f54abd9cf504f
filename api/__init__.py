"""The HTTP API: routes, what they read and answer, and the layers every request passes."""
