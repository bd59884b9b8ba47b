"""Speech to text, language model, text to speech: three small protocols and one file for each driver.

An engine streams, can be cancelled at any moment and reports a failure as one typed error with its stage. This room
never knows about turns, floors or histories.
"""
