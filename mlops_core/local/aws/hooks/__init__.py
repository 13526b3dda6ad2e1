"""What we change inside MiniStack: the one package that touches its private names.

    check(); apply(config, journal)

Each module wraps one concern (`identity`, `functions`, `machines`, `targets`, `stacks`, `bodies`, `durability`, `services`, `gate`);
`names` lists the private names they rest on and fails loudly when one moved.
"""
