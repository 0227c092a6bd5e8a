"""PURE: PCM frames, WAV bytes, ring buffers, resampling, VAD segmenting, turn rules, playout accounting.

Time is counted in samples that went through, never read from a clock.
Imports `core` only (plus numpy, soxr, webrtcvad).
"""
