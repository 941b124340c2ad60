"""Simulation of patient flow through every level of a city's health and care."""
