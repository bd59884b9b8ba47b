"""What a person types.

Every command explains itself, and every error says what to do next.
"""
