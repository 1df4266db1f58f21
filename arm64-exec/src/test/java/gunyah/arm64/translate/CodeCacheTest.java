package gunyah.arm64.translate;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.FlatBoard;
import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one process translated another uses, if it is whole and of the same translator; else it is as if not there. */
class CodeCacheTest {
    private static final long CODE = 0x10_000;
    private static final int ROUNDS = 5_000;
    private static final int ADD_X1_X1_1 = 0x9100_0421;
    private static final int CLZ_X3_X1 = 0xDAC0_1023;
    /** FEAT_LRCPC: without it undefined. */
    private static final int LDAPR_X6_X4 = 0xF8BF_C086;
    private static final int SUBS_X2_X2_1 = 0xF100_0442;
    private static final int B_NE_BACK_4 = 0x54FF_FF81;
    private static final int HVC = 0xD400_0002;

    @TempDir
    private Path directory;

    /** Runs a loop as a process with this directory would. {@return what its cache did} */
    private CodeCache.Statistics runLoop(int body) {
        CodeCache cache = new CodeCache(directory);
        Translator translator = new Translator(Translator.Policy.EVERYTHING, null, RegionGates.OPEN, cache);
        try (FlatBoard board = new FlatBoard(1 << 20, 1, translator)) {
            board.code(CODE, ADD_X1_X1_1, CLZ_X3_X1, body, SUBS_X2_X2_1, B_NE_BACK_4, HVC);
            board.cpu().x[2] = ROUNDS;
            board.cpu().x[4] = 0x2_0000;
            assertThat(board.run(CODE, Long.MAX_VALUE)).isEqualTo(CpuExit.Kind.HYPERCALL);
            assertThat(board.cpu().x[1]).isEqualTo(ROUNDS);
            assertThat(board.cpu().s.retired).isEqualTo(5L * ROUNDS + 1);
        }
        assertThat(translator.statistics().regions()).isPositive();
        assertThat(translator.statistics().failures()).isZero();
        return cache.statistics();
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.toList();
        }
    }

    @Test
    void theSecondProcessTranslatesNothing() {
        CodeCache.Statistics first = runLoop(LDAPR_X6_X4);
        assertThat(first.written()).isPositive();
        assertThat(first.used()).isZero();

        CodeCache.Statistics second = runLoop(LDAPR_X6_X4);

        assertThat(second.read()).isEqualTo(first.written());
        assertThat(second.used()).isPositive();
        assertThat(second.written()).isZero();
    }

    @Test
    void otherCodeInTheSamePlaceIsTranslated() {
        runLoop(LDAPR_X6_X4);

        CodeCache.Statistics second = runLoop(CLZ_X3_X1);

        assertThat(second.used()).isZero();
        assertThat(second.written()).isPositive();
    }

    @Test
    void theSameWordsOfACpuThatHasLessAreOtherCode() throws IOException {
        runLoop(LDAPR_X6_X4);
        RegionCode code = CodeCache.decode(Files.readAllBytes(files().getFirst()));
        Decoder less = Decoder.of(CpuFeatures.BASE);
        Decoder same = Decoder.of(CpuFeatures.DEFAULT);

        assertThat(code.matches(page(code, same))).isTrue();
        assertThat(code.matches(page(code, less))).isFalse();
    }

    private static Insn[] page(RegionCode code, Decoder decoder) {
        Insn[] page = new Insn[RegionFlow.SLOTS];
        for (int slot : code.slots()) {
            page[slot] = decoder.decode(code.word(slot));
        }
        return page;
    }

    @Test
    void damagedFilesAreReplaced() throws IOException {
        runLoop(LDAPR_X6_X4);
        Random random = new Random(1);
        for (int round = 0; round < 40; round++) {
            Path file = files().getFirst();
            byte[] bytes = Files.readAllBytes(file);
            if (round % 2 == 0) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            } else {
                bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            }
            Files.write(file, bytes);

            CodeCache cache = new CodeCache(directory);

            assertThat(cache.statistics().bad()).as("round %d", round).isEqualTo(1);
            assertThat(files()).doesNotContain(file);
            runLoop(LDAPR_X6_X4);
            assertThat(files()).contains(file);
        }
    }

    @Test
    void theOldestFilesBeyondTheLimitGo() throws IOException {
        runLoop(LDAPR_X6_X4);
        byte[] bytes = Files.readAllBytes(files().getFirst());
        Files.delete(files().getFirst());
        for (int i = 0; i < CodeCache.MOST_FILES + 10; i++) {
            Path file = Files.write(directory.resolve(i + CodeCache.SUFFIX), bytes);
            Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000L * (i + 1)));
        }

        assertThat(new CodeCache(directory).statistics().read()).isEqualTo(CodeCache.MOST_FILES);

        assertThat(files()).hasSize(CodeCache.MOST_FILES).doesNotContain(directory.resolve("0" + CodeCache.SUFFIX));
    }

    @Test
    void processesShareADirectory() throws Exception {
        Callable<Void> process = () -> {
            for (int round = 0; round < 20; round++) {
                assertThat(runLoop(LDAPR_X6_X4).bad()).isZero();
                for (Path file : files().stream().filter(each -> each.toString().endsWith(CodeCache.SUFFIX)).toList()) {
                    Files.deleteIfExists(file);
                }
            }
            return null;
        };
        try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
            for (Future<Void> each : pool.invokeAll(List.of(process, process, process, process))) {
                each.get();
            }
        }
    }
}
