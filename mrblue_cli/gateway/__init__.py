"""The gateway: one OpenAI-compatible door to every provider.

Pure parts (`providers`, `surfaces`, `routing`, the guards of `cache`, the arithmetic of `budget`) decide; `server` and
`upstream` are the shells that talk. Nothing here reads configuration files or the environment: `options` comes in.
"""
