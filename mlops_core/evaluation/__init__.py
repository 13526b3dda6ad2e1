"""Figures of a scored split: metrics, intervals, baseline, curves; pure functions over arrays."""
