//! The standard normal distribution.

/// Evaluates a polynomial whose coefficients come from the highest power down.
fn horner(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(0.0, |value, &c| value * x + c)
}

/// Probability that a standard normal variable is at most `x`.
///
/// Hart (1968), algorithm 5666, in the arrangement of West (2005), "Better approximations to cumulative normal functions":
/// a rational function up to 7.07, a continued fraction beyond.
#[must_use]
pub fn cdf(x: f64) -> f64 {
    const NUMERATOR: [f64; 7] = [
        3.526_249_659_989_11e-2,
        0.700_383_064_443_688,
        6.373_962_203_531_65,
        33.912_866_078_383,
        112.079_291_497_871,
        221.213_596_169_931,
        220.206_867_912_376,
    ];
    const DENOMINATOR: [f64; 8] = [
        8.838_834_764_831_84e-2,
        1.755_667_163_182_64,
        16.064_177_579_207,
        86.780_732_202_946_1,
        296.564_248_779_674,
        637.333_633_378_831,
        793.826_512_519_948,
        440.413_735_824_752,
    ];
    if x.is_nan() {
        return x;
    }
    let z = x.abs();
    let density = (-0.5 * z * z).exp();
    let upper_tail = if z < 7.071_067_811_865_47 {
        density * horner(z, &NUMERATOR) / horner(z, &DENOMINATOR)
    } else {
        // Q(z) = φ(z) / (z + 1/(z + 2/(z + 3/(z + ...))))
        let fraction = (1..=20).rev().fold(z, |tail, k| z + f64::from(k) / tail);
        density / (fraction * (2.0 * std::f64::consts::PI).sqrt())
    };
    if x > 0.0 { 1.0 - upper_tail } else { upper_tail }
}

/// The value a standard normal variable stays below with probability `p`; infinite at 0 and 1, NaN outside.
///
/// Wichura (1988), "Algorithm AS 241: The Percentage Points of the Normal Distribution", PPND16: about sixteen figures.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * horner(r, &CENTRE.0) / horner(r, &CENTRE.1);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 || tail.is_nan() {
        return if tail == 0.0 { q.signum() * f64::INFINITY } else { f64::NAN };
    }
    let r = (-tail.ln()).sqrt();
    let magnitude = if r <= 5.0 {
        horner(r - 1.6, &MIDDLE.0) / horner(r - 1.6, &MIDDLE.1)
    } else {
        horner(r - 5.0, &FAR.0) / horner(r - 5.0, &FAR.1)
    };
    magnitude.copysign(q)
}

/// Numerator and denominator of one of the rational approximations of AS 241, highest power first.
type Rational = ([f64; 8], [f64; 8]);

/// For probabilities in [0.075, 0.925].
const CENTRE: Rational = (
    [
        2.509_080_928_730_122_7e3,
        3.343_057_558_358_813e4,
        6.726_577_092_700_87e4,
        4.592_195_393_154_987e4,
        1.373_169_376_550_946e4,
        1.971_590_950_306_551_3e3,
        1.331_416_678_917_843_8e2,
        3.387_132_872_796_366_5,
    ],
    [
        5.226_495_278_852_854e3,
        2.872_908_573_572_194_3e4,
        3.930_789_580_009_271e4,
        2.121_379_430_158_659_7e4,
        5.394_196_021_424_751e3,
        6.871_870_074_920_579e2,
        4.231_333_070_160_091e1,
        1.0,
    ],
);

/// For tail probabilities down to exp(-25).
const MIDDLE: Rational = (
    [
        7.745_450_142_783_414e-4,
        2.272_384_498_926_918_4e-2,
        2.417_807_251_774_506e-1,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        1.519_866_656_361_645_7e-2,
        1.481_039_764_274_800_8e-1,
        6.897_673_349_851e-1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
);

/// For the tails beyond.
const FAR: Rational = (
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        1.242_660_947_388_078_4e-3,
        2.653_218_952_657_612_4e-2,
        2.965_605_718_285_048_7e-1,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    [
        2.044_263_103_389_939_8e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        7.868_691_311_456_133e-4,
        1.487_536_129_085_061_5e-2,
        1.369_298_809_227_358e-1,
        5.998_322_065_558_88e-1,
        1.0,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    // scipy.stats.norm.ppf / cdf 1.11.4
    #[test]
    fn quantiles_agree_with_scipy() {
        for (p, expected) in [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.975, 1.959_963_984_540_054),
            (0.001, -3.090_232_306_167_813_5),
            (1e-10, -6.361_340_902_404_056),
            (1e-50, -14.933_337_534_788_489),
        ] {
            let got = quantile(p);
            assert!((got - expected).abs() < 4e-15 * expected.abs().max(1.0), "p = {p}: {got} vs {expected}");
        }
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(quantile(-0.1).is_nan() && quantile(1.1).is_nan() && quantile(f64::NAN).is_nan());
    }

    #[test]
    fn probabilities_agree_with_scipy() {
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.959_963_984_540_054, 0.025),
            (-3.0, 0.001_349_898_031_630_094_6),
            (-8.0, 6.220_960_574_271_785e-16),
            (-20.0, 2.753_624_118_606_233_7e-89),
        ] {
            let got = cdf(x);
            assert!((got / expected - 1.0).abs() < 1e-13, "x = {x}: {got:e} vs {expected:e}");
        }
        assert_eq!((cdf(-40.0), cdf(40.0)), (0.0, 1.0));
    }

    #[test]
    fn quantile_inverts_cdf() {
        for k in -30..=30 {
            let x = f64::from(k) / 5.0;
            let back = quantile(cdf(x));
            // Above the median 1 - p is rounded, which costs digits of x in proportion to 1 / density.
            assert!((back - x).abs() < 1e-13 + 1e-16 * (0.5 * x * x).exp().max(1.0) * 4.0, "{x} vs {back}");
        }
    }
}
