"""The service under SIGKILL: what got a 2xx is in the events, and every consumer sees each of them once, in order."""
