package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A request copies a page, so code asks once, however long its region takes, and again only when it is twice as hot. */
class RequestTest {
    private static final long CODE = 0x10_000;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE_BACK_1 = 0x54FF_FFE1;
    private static final int HVC = 0xD400_0002;
    private static final Translator.Policy NEVER_MADE = new Translator.Policy(1_000, 16, true, 3_600_000);

    @TempDir
    private Path directory;

    @Test
    void hotCodeAsksOnceAndAgainWhenItIsTwiceAsHot() throws IOException {
        Path log = directory.resolve("jit.log");
        try (Translator translator = new Translator(NEVER_MADE, new JitLog(log), RegionGates.OPEN);
                FlatBoard board = new FlatBoard(2 << 20, 1, translator)) {
            board.code(CODE, SUBS_X2_X2_1, B_NE_BACK_1, HVC);

            loop(board, 490);
            assertThat(requests(log)).isZero();
            loop(board, 20);
            assertThat(requests(log)).isEqualTo(1);
            // 2,000, 4,000 and 8,000 instructions
            loop(board, 4_000);
            assertThat(requests(log)).isEqualTo(4);
        }
    }

    private static void loop(FlatBoard board, long rounds) {
        board.cpu().x[2] = rounds;
        board.run(CODE, Long.MAX_VALUE);
    }

    private static long requests(Path log) throws IOException {
        return Files.readAllLines(log).stream().filter(line -> line.contains("request at")).count();
    }
}
