"""Endpoints: parse, call one function, render."""
