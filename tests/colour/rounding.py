"""How far two float32 computations of one colour formula may lie apart, stated once.

Which instructions a machine has (AVX2, AVX-512, AMX), how many threads share the work and how an
array is cut into blocks all decide in which order numbers are multiplied and added, so each step
of a formula is right to a unit or two in the last place only. The bounds below follow from the
formulas of colorize_hub/colour/lab.py, with u the unit roundoff.

sRGB to Lab. `exp(e * log(x))` is right to (2 |e log(x)| + 2) u relative. sRGB decoding has
|e log(x)| <= 5.8, so less than 18.6 u; the three products and sums of the matrix add 3 u, and the
cube root takes a third of both and adds less than (2 * 2.3 + 2) u of its own: 14 u. The CIE curve f
is at most 1, so f is right to 14 u; two more for what is added to it make 16. L* is 116 f, a*
500 (f - f'), b* 200 (f - f'), and two computations may err in opposite directions.

Lab to sRGB. f is right to 3 u of up to 1.5 (a colour far outside sRGB), its cube to 9 u, the three
terms of the matrix, whose rows add up to at most 5.2, to 47 u of light; the encoding is steepest at
black, 12.92, and again two computations may err in opposite directions.
"""

UNIT = 2.0**-24
_CURVE = 16 * UNIT

LIGHTNESS = 2 * 116 * _CURVE  # 2.2e-4 of 0..100
LAB = 2 * 2 * 500 * _CURVE  # 1.9e-3 of about -108..108
LIGHT = 2 * 47 * UNIT  # 5.6e-6 of 0..1, linear
RGB = 12.92 * LIGHT  # 7.2e-5 of 0..1
