"""Spoken English as it is written: twenty five percent becomes 25%.

text2num reads the numbers; what is here decides which of them to write, and how.
"""
