"""Leaks and traps, looked for before anything is trained: pure functions over arrays of at most 10,000 rows of each split.

    train = draw(connection, "train", profiles, config)      # Rows: numbers, and texts as codes
    near_copies(train)                                        # W-LEAK-001: one column alone gives the target
    combinations(train)                                       # W-LEAK-002: a sum or a product of up to three columns does
    order_of(train, config)                                   # rows that drift in time, for the probe of `mlops_core.algorithms.probe`
    future(train, config)                                     # W-LEAK-005: dates after the time of the row
    overlap(train, {"test": test})                            # W-LEAK-006: rows that repeat a training row
    shifts(train, {"test": test})                             # W-SHIFT-001 and 002: PSI between the splits

What a person reads about them: ``docs/how-to/leaks.md``.
"""
