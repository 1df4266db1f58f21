package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.arm64.FlatBoard;
import gunyah.arm64.interp.RegionExits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Log, directory and single regions of one loop, as people see them. */
class RegionReportTest {
    private static final long CODE = 0x10_000;
    /** add x1, x1, #1; crc32b w3, w1, w3; ldr x5, [x4]; subs x2, x2, #1; b.ne back; hvc #0. */
    private static final int[] LOOP = {0x9100_0421, 0x1AC3_4023, 0xF940_0085, 0xF100_0442, 0x54FF_FF81, 0xD400_0002};

    @TempDir
    private Path directory;
    private Path log;
    private Path kept;

    @BeforeEach
    void runLoop() {
        log = directory.resolve("jit.log");
        kept = directory.resolve("kept");
        try (Translator translator = new Translator(Translator.Policy.EVERYTHING, new JitLog(log), new RegionExits(),
                new CodeCache(kept)); FlatBoard board = new FlatBoard(1 << 20, 1, translator)) {
            board.code(CODE, LOOP);
            board.cpu().x[2] = 2_000;
            board.cpu().x[4] = 0x2_0000;
            board.run(CODE, Long.MAX_VALUE);
        }
    }

    @Test
    void theLogTellsSizesAndWhyCodeIsLeft() throws IOException {
        assertThat(RegionReport.of(log)).anySatisfy(line -> assertThat(line).matches("1 regions, 0 that the JVM.*"))
                .anySatisfy(line -> assertThat(line).matches("instructions +5 +5.0 +5.0 +5.0"))
                .anySatisfy(line -> assertThat(line).startsWith("Statistics[regions=1, instructions=5"))
                .anySatisfy(line -> assertThat(line).contains("9995 of 10000 instructions in regions (100.0 %)")
                        .endsWith("MEMORY 0, VECTOR 0, OTHER_PAGE 0, SAME_PAGE 1"));
    }

    @Test
    void theDirectoryIsListed() throws IOException {
        assertThat(RegionReport.of(kept)).hasSize(2).first().asString()
                .contains("at offset 0x0 of a page, 5 instructions");
        assertThat(RegionReport.of(kept).getLast()).startsWith("1 regions, 5 instructions");
    }

    @Test
    void aRegionIsGuestCodeAndBytecode() throws IOException {
        try (Stream<Path> files = Files.list(kept)) {
            assertThat(RegionReport.of(files.findFirst().orElseThrow()))
                    .contains("> 000: 91000421  add x1, x1, #0x1")
                    .contains("  00c: f1000442  subs x2, x2, #0x1")
                    .anySatisfy(line -> assertThat(line).contains("void run(gunyah.arm64.Cpu, long, int, long);"))
                    .anySatisfy(line -> assertThat(line).contains("lookupswitch"));
        }
    }

    @Test
    void anythingElseIsRefused() throws IOException {
        Path other = Files.writeString(directory.resolve("other"), "hello\n");
        assertThatThrownBy(() -> RegionReport.of(other)).hasMessage("no log of the translator");
    }
}
