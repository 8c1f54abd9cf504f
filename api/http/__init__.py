"""HTTP as it is read and answered here: strictly, in bounds, in one spelling, with problems in one form."""
