"""The real parts that the integration tests run pawl against: one module a part.

Every server listens on loopback on a port of its own, keeps its state in the folder that it is given, and is stopped by
its process id. Nothing here is a fake: the only scripted thing is `faults`, which stands in front of a real server and
breaks what the server itself cannot be made to break.
"""
