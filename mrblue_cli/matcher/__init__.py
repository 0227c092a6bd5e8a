"""The matcher: who should dance with whom, and why. PURE: records in, scores, pairs and rotations out."""
