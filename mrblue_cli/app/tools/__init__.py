"""The tools themselves: what they are called, what they take, what they do. They run in the client."""
