package gunyah.arm64;

import static gunyah.arm64.sysreg.SystemRegisters.key;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.CpuFeatures.Feature;
import gunyah.arm64.translate.Translator;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a CPU announces in its ID registers is what it executes, for every model: with a feature its instruction retires,
 * without it is UNDEFINED. The words and the register fields are the manual's, written by hand.
 */
@ParameterizedClass
@EnumSource(Tier.class)
class CpuModelTest {
    private static final long CODE = 0x1200;
    private static final long DATA = 0x2000;
    private static final int ISAR0 = key(3, 0, 0, 6, 0);
    private static final int ISAR1 = key(3, 0, 0, 6, 1);
    private static final int PFR0 = key(3, 0, 0, 4, 0);
    private static final int PFR1 = key(3, 0, 0, 4, 1);
    private static final int DFR0 = key(3, 0, 0, 5, 0);
    private static final int MMFR0 = key(3, 0, 0, 7, 0);
    private static final int MMFR1 = key(3, 0, 0, 7, 1);
    private static final int MMFR2 = key(3, 0, 0, 7, 2);
    private static final int ESR = key(3, 0, 5, 2, 0);
    /** No instruction belongs to the feature. */
    private static final int NONE = 0;

    /** The field of the register at {@code shift} has at least {@code level} when the feature is there. */
    private record Row(Feature feature, int register, int shift, int level, int word) {
    }

    private static final List<Row> ROWS = List.of(
            new Row(Feature.AES, ISAR0, 4, 1, 0x4E28_4820), // aese v0.16b, v1.16b
            new Row(Feature.PMULL, ISAR0, 4, 2, 0x0EE2_E020), // pmull v0.1q, v1.1d, v2.1d
            new Row(Feature.SHA1, ISAR0, 8, 1, 0x5E28_0820), // sha1h s0, s1
            new Row(Feature.SHA256, ISAR0, 12, 1, 0x5E28_2820), // sha256su0 v0.4s, v1.4s
            new Row(Feature.SHA512, ISAR0, 12, 2, 0xCEC0_8020), // sha512su0 v0.2d, v1.2d
            new Row(Feature.CRC32, ISAR0, 16, 1, 0x1AC2_4020), // crc32b w0, w1, w2
            new Row(Feature.LSE, ISAR0, 20, 2, 0xF820_0041), // ldadd x0, x1, [x2]
            new Row(Feature.RDM, ISAR0, 28, 1, 0x6E82_8420), // sqrdmlah v0.4s, v1.4s, v2.4s
            new Row(Feature.SHA3, ISAR0, 32, 1, 0xCE02_0C20), // eor3 v0.16b, v1.16b, v2.16b, v3.16b
            new Row(Feature.DotProd, ISAR0, 44, 1, 0x4E82_9420), // sdot v0.4s, v1.16b, v2.16b
            new Row(Feature.FHM, ISAR0, 48, 1, 0x4E22_EC20), // fmlal v0.4s, v1.4h, v2.4h
            new Row(Feature.FlagM, ISAR0, 52, 1, 0xD500_401F), // cfinv
            new Row(Feature.FlagM2, ISAR0, 52, 2, 0xD500_405F), // axflag
            new Row(Feature.RNG, ISAR0, 60, 1, 0xD53B_2400), // mrs x0, rndr
            new Row(Feature.DPB, ISAR1, 0, 1, 0xD50B_7C22), // dc cvap, x2
            new Row(Feature.DPB2, ISAR1, 0, 2, 0xD50B_7D22), // dc cvadp, x2
            new Row(Feature.PAuth, ISAR1, 8, 1, 0xDAC1_0020), // pacia x0, x1
            new Row(Feature.PAuth, ISAR1, 28, 1, 0xD538_2100), // mrs x0, apiakeylo_el1
            new Row(Feature.JSCVT, ISAR1, 12, 1, 0x1E7E_0020), // fjcvtzs w0, d1
            new Row(Feature.FCMA, ISAR1, 16, 1, 0x6E82_E420), // fcadd v0.4s, v1.4s, v2.4s, #90
            new Row(Feature.LRCPC, ISAR1, 20, 1, 0xF8BF_C040), // ldapr x0, [x2]
            new Row(Feature.LRCPC2, ISAR1, 20, 2, 0xD940_8040), // ldapur x0, [x2, #8]
            new Row(Feature.FRINTTS, ISAR1, 32, 1, 0x1E68_4020), // frint32z d0, d1
            new Row(Feature.SB, ISAR1, 36, 1, 0xD503_30FF), // sb
            new Row(Feature.BF16, ISAR1, 44, 1, 0x6E42_FC20), // bfdot v0.4s, v1.8h, v2.8h
            new Row(Feature.I8MM, ISAR1, 52, 1, 0x4E82_A420), // smmla v0.4s, v1.16b, v2.16b
            new Row(Feature.FP16, PFR0, 16, 1, 0x1EE2_2820), // fadd h0, h1, h2
            new Row(Feature.FP16, PFR0, 20, 1, 0x0E42_1420), // fadd v0.4h, v1.4h, v2.4h
            new Row(Feature.DIT, PFR0, 48, 1, 0xD503_415F), // msr dit, #1
            new Row(Feature.CSV2, PFR0, 56, 1, NONE),
            new Row(Feature.CSV3, PFR0, 60, 1, NONE),
            new Row(Feature.BTI, PFR1, 0, 1, NONE),
            new Row(Feature.SSBS, PFR1, 4, 2, 0xD503_413F), // msr ssbs, #1
            new Row(Feature.PAN, MMFR1, 20, 2, 0xD500_419F), // msr pan, #1
            new Row(Feature.PAN, MMFR1, 20, 2, 0xD508_7902), // at s1e1rp, x2
            new Row(Feature.UAO, MMFR2, 4, 1, 0xD500_417F), // msr uao, #1
            new Row(Feature.HPDS, MMFR1, 12, 1, NONE),
            new Row(Feature.HAFDBS, MMFR1, 0, 2, NONE),
            new Row(Feature.XNX, MMFR1, 28, 1, NONE),
            new Row(Feature.ECV, MMFR0, 60, 1, 0xD53B_E0C0), // mrs x0, cntvctss_el0
            new Row(Feature.ECV, MMFR0, 60, 1, 0xD53B_E0A0), // mrs x0, cntpctss_el0
            new Row(Feature.TTCNP, MMFR2, 0, 1, NONE),
            new Row(Feature.TTST, MMFR2, 28, 1, NONE),
            new Row(Feature.Granules, MMFR0, 20, 1, NONE),
            new Row(Feature.TLBIOS, ISAR0, 56, 1, 0xD508_8122), // tlbi vae1os, x2
            new Row(Feature.TLBIRANGE, ISAR0, 56, 2, 0xD508_8622)); // tlbi rvae1, x2

    @Parameter
    private Tier tier;

    static List<CpuFeatures> models() {
        return List.of(CpuFeatures.BASE, CpuFeatures.DEFAULT, CpuFeatures.MAX);
    }

    @Test
    void everyFeatureHasARow() {
        EnumSet<Feature> named = EnumSet.noneOf(Feature.class);
        ROWS.forEach(row -> named.add(row.feature));
        assertThat(named).isEqualTo(EnumSet.allOf(Feature.class));
    }

    @ParameterizedTest
    @MethodSource("models")
    void announcesAndExecutesTheSame(CpuFeatures model) {
        Translator translator = tier.translator();
        try (FlatBoard board = new FlatBoard(1 << 20, 1, translator, model)) {
            board.fillWithStops();
            for (Row row : ROWS) {
                boolean has = model.has(row.feature);
                boolean announced = (board.cpu().sys.read(row.register) >>> row.shift & 15) >= row.level;
                assertThat(announced).as("%s in the ID register", row.feature).isEqualTo(has);
                if (row.word != NONE) {
                    assertThat(retires(board, row.word)).as("%s: %08x", row.feature, row.word).isEqualTo(has);
                }
            }
        }
        tier.agrees(translator);
        if (tier != Tier.INTERPRETED) {
            long regions = ROWS.stream().filter(row -> row.word != NONE && model.has(row.feature)).count() / 2;
            assertThat(translator.statistics().regions()).as("translated").isGreaterThan(regions);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void aSingleFeatureLessIsOneLess(CpuFeatures model) {
        for (Row row : ROWS) {
            if (!model.has(row.feature)) {
                continue;
            }
            List<Feature> others = Arrays.stream(Feature.values())
                    .filter(feature -> feature != row.feature && model.has(feature)).toList();
            try (FlatBoard board = new FlatBoard(1 << 20, 1, tier.translator(), new CpuFeatures(others))) {
                board.fillWithStops();
                long field = board.cpu().sys.read(row.register) >>> row.shift & 15;
                assertThat(field).as("%s in the ID register", row.feature).isLessThan(row.level);
                assertThat(row.word == NONE || !retires(board, row.word)).as("%s is UNDEFINED", row.feature).isTrue();
            }
        }
    }

    /** No SVE, SME, MTE, RAS, LSE2, 52-bit addresses, and whatever else the manual has. */
    @ParameterizedTest
    @MethodSource("models")
    void announcesNothingElse(CpuFeatures model) {
        // AArch64 at EL0 and EL1, GIC registers; debug, PMUv3, 6 and 4 points; 36-bit addresses, 16-bit ASIDs
        Map<Integer, Long> always = Map.of(PFR0, 0x0100_0011L, DFR0, 0x1030_5106L, MMFR0, 0x21L);
        try (FlatBoard board = new FlatBoard(1 << 20, 1, null, model)) {
            for (int number = 4 << 3; number < 8 << 3; number++) {
                int register = key(3, 0, 0, number >>> 3, number & 7);
                long named = register == MMFR0 ? 15 << 24 : 0;
                for (Row row : ROWS) {
                    named |= row.register == register ? 15L << row.shift : 0;
                }
                assertThat(board.cpu().sys.read(register) & ~named).as("CRm %d, op2 %d", number >>> 3, number & 7)
                        .isEqualTo(always.getOrDefault(register, 0L));
            }
        }
    }

    /** {@return whether the word retires; it is UNDEFINED otherwise} */
    private static boolean retires(FlatBoard board, int word) {
        Cpu cpu = board.cpu();
        cpu.s.switchStack(1, 1);
        cpu.s.pan = false;
        cpu.s.uao = false;
        cpu.sys.contextChanged();
        cpu.x[2] = DATA;
        cpu.sys.write(ESR, 0);
        board.execute(CODE, word);
        if (cpu.s.pc == CODE + 4) {
            return true;
        }
        assertThat(cpu.sys.read(ESR)).as("syndrome of %08x", word).isEqualTo(0x0200_0000);
        return false;
    }
}
