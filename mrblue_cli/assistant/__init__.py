"""Mr. Blue: what to say. Error detection as a story, spoken answers from entries, chat, roles.

May import `knowledge` and what lies below it. Knows no audio, no sockets of its own and no screen.
"""
