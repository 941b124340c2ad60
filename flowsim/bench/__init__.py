"""Peers that flowsim's speed is measured against."""
