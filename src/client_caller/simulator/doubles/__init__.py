"""Stand-ins for the servers of the model tier, for tests and benchmarks.

Real servers on loopback that speak the real wire protocols with a latency that is set, fail on demand, and remember
what they received. What they say and hear is made up; how they say it is not.
"""
