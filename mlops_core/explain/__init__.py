"""What every error and warning code means, why it matters and what to do, in English and Japanese."""
