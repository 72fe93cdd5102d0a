"""Korean as it is written and as it is spoken: numbers, dates, money, units, Latin letters.

``written`` turns spoken words into written ones (세 시 into 3시), ``readings`` turns written words
into spoken ones (3시 into 세 시).
"""
