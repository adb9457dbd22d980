"""Simulated clips: people of a folder of pictures walk past a camera, and what happens is known exactly."""
