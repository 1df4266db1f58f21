package gunyah.hyp.vic;

import static gunyah.hyp.vic.VicBoard.GICR_SGI;
import static gunyah.hyp.vic.VicBoard.GICR_WAKER;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypError;
import gunyah.hyp.addrspace.MmioDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The register frames as a guest sees them: identification, access sizes, what is absent, every array. */
class GicFramesTest {
    private static final int SPI = 40;

    private final VicBoard plain = new VicBoard(4, 64);
    private final VicBoard extended = new VicBoard(1, Vic.MAX_SPIS + 64);

    @Test
    void identificationIsThatOfGunyah() {
        MmioDevice gicd = plain.distributor;
        // 32 * (31 + 1) lines, message-based SPIs, ten ID bits, Aff3, no 1 of N, range selector
        assertThat(gicd.read(0, 0x4, 4)).isEqualTo(31L | 1L << 16 | 9L << 19 | 1L << 24 | 1L << 25 | 1L << 26);
        assertThat(gicd.read(0, 0x0, 4)).as("ARE and DS").isEqualTo(0x50);
        assertThat(gicd.read(0, 0x8, 4)).isEqualTo(0x4700_0070L);
        assertThat(gicd.read(0, 0xC, 4)).isZero();
        assertThat(gicd.read(0, 0xFFE8, 4)).isEqualTo(0x30);
        MmioDevice gicr = plain.redistributors.get(2);
        assertThat(gicr.read(2, 0x4, 4)).isEqualTo(0x4700_0070L);
        assertThat(gicr.read(2, 0xFFE8, 4)).isEqualTo(0x30);
        assertThat(gicr.read(2, 0x0, 4)).isZero();
        assertThat(gicr.read(2, 0x8, 8)).isEqualTo(2L << 32 | 2 << 8);
        assertThat(gicr.read(2, 0x8, 4)).isEqualTo(2 << 8);
        assertThat(gicr.read(2, 0xC, 4)).isEqualTo(2);
    }

    @Test
    void extendedSpisAreAnnouncedWhenThereAreAny() {
        assertThat(extended.distributor.read(0, 0x4, 4)).isEqualTo(
                31L | 1L << 8 | 1L << 16 | 12L << 19 | 1L << 24 | 1L << 25 | 1L << 26 | 1L << 27);
    }

    @Test
    void theLastAttachedRedistributorSaysSo() {
        List<Long> last = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            last.add(plain.redistributors.get(i).read(i, 0x8, 8) >>> 4 & 1);
        }

        assertThat(last).containsExactly(0L, 0L, 0L, 1L);
        plain.vic.detach(3);
        assertThat(plain.redistributors.get(2).read(2, 0x8, 8) >>> 4 & 1).isEqualTo(1);
    }

    @Test
    void allSpisExistForSoftwareAndSourcesAreBoundToThoseConfigured() {
        plain.up().enable(1000);
        plain.setBit(0x200, 1000);

        assertThat(plain.read(0, IccRegister.IAR1)).isEqualTo(1000);
        assertThat(plain.vic.bind(new VicBoard.Source(), 32 + 64)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(plain.vic.bind(new VicBoard.Source(), 32 + 63)).isEqualTo(HypError.OK);
    }

    @Test
    void accessSizesAreThoseOfEachRegister() {
        record Case(MmioDevice frame, int offset, String sizes) {
        }
        MmioDevice gicd = plain.distributor;
        MmioDevice gicr = plain.redistributors.getFirst();
        List<Case> cases = List.of(
                new Case(gicd, 0x0, "4"), new Case(gicd, 0x4, "4"), new Case(gicd, 0x40, "24"),
                new Case(gicd, 0x48, "24"), new Case(gicd, 0x50, "4"), new Case(gicd, 0x104, "4"),
                new Case(gicd, 0x428, "14"), new Case(gicd, 0x820, "14"), new Case(gicd, 0xC08, "4"),
                new Case(gicd, 0xF10, "14"), new Case(gicd, 0xF20, "14"), new Case(gicd, 0x6100, "48"),
                new Case(gicd, 0x5000, "4"), new Case(gicd, 0xFFE8, "4"),
                // no extended SPIs: places without registers
                new Case(gicd, 0x2000, "4"), new Case(gicd, 0x8000, "4"),
                new Case(extended.distributor, 0x2000, "14"), new Case(extended.distributor, 0x8000, "48"),
                new Case(gicr, 0x0, "4"), new Case(gicr, 0x8, "48"), new Case(gicr, 0x14, "4"),
                new Case(gicr, 0x40, "48"), new Case(gicr, GICR_SGI + 0x100, "4"),
                new Case(gicr, GICR_SGI + 0x400, "14"), new Case(gicr, GICR_SGI + 0xC04, "4"));

        for (Case one : cases) {
            StringBuilder sizes = new StringBuilder();
            for (int size = 1; size <= 8; size *= 2) {
                if (one.frame.accepts(one.offset, size)) {
                    sizes.append(size);
                }
            }
            assertThat(sizes).as("offset 0x%x", one.offset).hasToString(one.sizes);
        }
    }

    @Test
    void accessesThatMakeNoSenseAreNotedUntilForgotten() {
        for (MmioDevice frame : List.of(plain.distributor, plain.redistributors.getFirst())) {
            assertThat(frame.read(0, 0x10, 4)).isZero();

            assertThat(frame.read(0, 0xFFD0, 4)).isZero();
            assertThat(frame.read(0, 0x10, 4)).as("read of nothing").isEqualTo(1);
            assertThat(frame.write(0, 0xFFD0, 4, 1)).as("write to nothing").isFalse();
            assertThat(frame.read(0, 0x10, 4)).isEqualTo(3);
            assertThat(frame.read(0, 0x40, 4)).as("read of write-only").isZero();
            assertThat(frame.write(0, 0xFFE8, 4, 1)).as("write to read-only").isTrue();
            assertThat(frame.read(0, 0x10, 4)).isEqualTo(15);
            assertThat(frame.read(0, 0xFFE8, 4)).isEqualTo(0x30);

            frame.write(0, 0x10, 4, 5);
            assertThat(frame.read(0, 0x10, 4)).isEqualTo(10);
        }
    }

    @Test
    void legacyAndSecureRegistersReadAsZeroAndIgnoreWrites() {
        for (int offset : new int[] {0x50, 0x58, 0x820, 0xD04, 0xE08, 0xF00, 0xF10, 0xF20}) {
            assertThat(plain.distributor.write(0, offset, 4, -1)).as("0x%x", offset).isTrue();
            assertThat(plain.distributor.read(0, offset, 4)).as("0x%x", offset).isZero();
        }
        for (int offset : new int[] {0x0, 0x40, 0x48, 0xC0, GICR_SGI + 0xD00, GICR_SGI + 0xE00}) {
            assertThat(plain.redistributors.getFirst().write(0, offset, 4, -1)).as("0x%x", offset).isTrue();
            assertThat(plain.redistributors.getFirst().read(0, offset, 4)).as("0x%x", offset).isZero();
        }
        assertThat(plain.bit(0x200, SPI)).as("the secure SETSPI does nothing").isFalse();
    }

    @Test
    void privateLinesAreNotInTheDistributor() {
        for (int offset : new int[] {0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x41C, 0xC00, 0xC04,
                0x6000, 0x60F8}) {
            assertThat(plain.distributor.write(0, offset, 4, -1)).isTrue();
            assertThat(plain.distributor.read(0, offset, 4)).as("0x%x", offset).isZero();
        }
        assertThat(plain.redistributors.getFirst().read(0, GICR_SGI + 0x100, 4)).isZero();
    }

    @Test
    void everyArrayOfBitsSetsAndClears() {
        record Frame(VicBoard board, MmioDevice device, int bits, int step, int count, int valid) {
        }
        List<Frame> frames = List.of(
                new Frame(plain, plain.distributor, 0x84, 0x80, 30, -1),
                new Frame(plain, plain.distributor, 0x80 + 31 * 4, 0x80, 1, 0x0FFF_FFFF),
                new Frame(extended, extended.distributor, 0x1000, 0x200, 2, -1),
                new Frame(plain, plain.redistributors.get(1), GICR_SGI + 0x80, 0x80, 1, -1));
        for (Frame frame : frames) {
            for (int word = 0; word < frame.count; word++) {
                int group = frame.bits + 4 * word;
                long all = frame.valid & 0xFFFF_FFFFL;
                frame.device.write(0, group, 4, -1);
                assertThat(frame.device.read(0, group, 4)).isEqualTo(all);
                frame.device.write(0, group, 4, 0);
                assertThat(frame.device.read(0, group, 4)).isZero();
                for (int pair = 1; pair < 7; pair += 2) {
                    int set = group + pair * frame.step;
                    int clear = set + frame.step;
                    frame.device.write(0, set, 4, 0xFFFF_0000L);
                    frame.device.write(0, set, 4, 0x0000_FFF0L);
                    assertThat(frame.device.read(0, set, 4)).as("0x%x", set).isEqualTo(all & 0xFFFF_FFF0L);
                    frame.device.write(0, clear, 4, 0xFF0F_FFF0L);
                    assertThat(frame.device.read(0, clear, 4)).as("0x%x", clear).isEqualTo(all & 0x00F0_0000L);
                    frame.device.write(0, clear, 4, -1);
                    assertThat(frame.device.read(0, set, 4)).as("0x%x", set).isZero();
                }
            }
        }
    }

    @Test
    void prioritiesHaveFiveBitsAndAreReadByByteAndWord() {
        plain.distributor.write(0, 0x400 + SPI, 4, 0xFF_A7_12_F9L);
        plain.distributor.write(0, 0x400 + SPI + 1, 1, 0x6E);
        plain.redistributors.getFirst().write(0, GICR_SGI + 0x400 + 27, 1, 0xFF);

        assertThat(plain.distributor.read(0, 0x400 + SPI, 4)).isEqualTo(0xF8_A0_68_F8L);
        assertThat(plain.distributor.read(0, 0x400 + SPI + 2, 1)).isEqualTo(0xA0);
        assertThat(plain.redistributors.getFirst().read(0, GICR_SGI + 0x418, 4)).isEqualTo(0xF800_0000L);
    }

    @Test
    void theConfigurationHasOneBitOfTwoAndThatOfSoftwareInterruptsIsFixed() {
        plain.distributor.write(0, 0xC08, 4, -1);
        plain.redistributors.getFirst().write(0, GICR_SGI + 0xC00, 4, 0);
        plain.redistributors.getFirst().write(0, GICR_SGI + 0xC04, 4, 0xF);

        assertThat(plain.distributor.read(0, 0xC08, 4)).isEqualTo(0xAAAA_AAAAL);
        assertThat(plain.redistributors.getFirst().read(0, GICR_SGI + 0xC00, 4)).isEqualTo(0xAAAA_AAAAL);
        assertThat(plain.redistributors.getFirst().read(0, GICR_SGI + 0xC04, 4)).isEqualTo(0xA);
    }

    @Test
    void routersHaveAffinityFieldsOnlyAndTwoHalves() {
        int router = 0x6000 + 8 * SPI;
        plain.distributor.write(0, router, 8, -1);
        assertThat(plain.distributor.read(0, router, 8)).as("no 1 of N").isEqualTo(0xFF_00FF_FFFFL);

        plain.distributor.write(0, router, 4, 0x8001_0203L);
        plain.distributor.write(0, router + 4, 4, 0x104);

        assertThat(plain.distributor.read(0, router, 8)).isEqualTo(0x04_0001_0203L);
        assertThat(plain.distributor.read(0, router, 4)).isEqualTo(0x0001_0203L);
        assertThat(plain.distributor.read(0, router + 4, 4)).isEqualTo(4);
        extended.distributor.write(0, 0x8000 + 8 * 5, 8, 0x1234);
        assertThat(extended.distributor.read(0, 0x8000 + 8 * 5, 8)).isEqualTo(0x1234);
    }

    @Test
    void extendedRegistersAreAbsentWithoutExtendedSpis() {
        for (int offset : new int[] {0x1000, 0x1200, 0x1C00, 0x2000, 0x3000, 0x8000}) {
            assertThat(plain.distributor.write(0, offset, 4, -1)).as("0x%x", offset).isFalse();
            assertThat(plain.distributor.read(0, offset, 4)).as("0x%x", offset).isZero();
        }
    }

    @Test
    void theLastRegistersOfTheSpisDoNotReachIntoTheExtendedOnes() {
        MmioDevice gicd = extended.distributor;
        for (int array = 0x80; array < 0x400; array += 0x80) {
            gicd.write(0, array + 31 * 4, 4, 0xF000_0000L);
        }
        gicd.write(0, 0x400 + 1020, 4, 0xF8F8_F8F8L);
        gicd.write(0, 0xC00 + 63 * 4, 4, -1);
        gicd.write(0, 0x6000 + 8 * 1020, 8, 0x77);

        assertThat(gicd.read(0, 0x80 + 31 * 4, 4)).isZero();
        assertThat(gicd.read(0, 0x1000, 4)).isZero();
        assertThat(gicd.read(0, 0x1200, 4)).isZero();
        assertThat(gicd.read(0, 0x1600, 4)).isZero();
        assertThat(gicd.read(0, 0x2000, 4)).isZero();
        assertThat(gicd.read(0, 0x3000, 4)).isZero();
        assertThat(gicd.read(0, 0x8000, 8)).isZero();
    }

    @Test
    void aRedistributorIsAwakeAndSleepsWhenItsGroupsAreOff() {
        MmioDevice gicr = plain.redistributors.getFirst();
        assertThat(gicr.read(0, GICR_WAKER, 4)).isZero();
        plain.write(0, IccRegister.IGRPEN1, 1);

        gicr.write(0, GICR_WAKER, 4, 2);
        assertThat(gicr.read(0, GICR_WAKER, 4)).as("the interface is still on").isEqualTo(2);
        plain.write(0, IccRegister.IGRPEN1, 0);
        assertThat(gicr.read(0, GICR_WAKER, 4)).isEqualTo(6);
        gicr.write(0, GICR_WAKER, 4, 0);

        assertThat(gicr.read(0, GICR_WAKER, 4)).isZero();
    }
}
