package gunyah.arm64;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.state.CpuExit;
import gunyah.memory.Access;
import gunyah.memory.Stage2Table;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Two CPUs on two threads. Every program ends with HVC. */
@Tag("guest")
@ParameterizedClass
@EnumSource(Tier.class)
class InnerShareableTest {
    private static final long CODE = 0x1000;
    private static final long DATA = 0x8000;
    private static final int ROUNDS = 20_000;
    private static final int HVC = 0xD4000002;

    @Parameter
    private Tier tier;

    private static long runBoth(FlatBoard board, long first, long second) throws Exception {
        List<Callable<CpuExit.Kind>> jobs = new ArrayList<>();
        long[] entry = {first, second};
        for (int i = 0; i < 2; i++) {
            Cpu cpu = board.cpus.get(i);
            cpu.s.pc = entry[i];
            cpu.x[0] = DATA;
            cpu.x[1] = ROUNDS;
            jobs.add(() -> {
                CpuExit.Kind kind = cpu.run(Long.MAX_VALUE);
                while (kind == CpuExit.Kind.WFE) {
                    kind = cpu.run(Long.MAX_VALUE);
                }
                return kind;
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            for (Future<CpuExit.Kind> result : threads.invokeAll(jobs)) {
                assertThat(result.get(50, TimeUnit.SECONDS)).isEqualTo(CpuExit.Kind.HYPERCALL);
            }
        }
        return word(board, DATA);
    }

    private static long word(FlatBoard board, long at) {
        byte[] bytes = new byte[8];
        board.memory.read(at, bytes, 0, 8);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    @Test
    void exclusiveIncrementsLoseNothing() throws Exception {
        try (FlatBoard board = new FlatBoard(1 << 20, 2, tier.translator())) {
            board.code(CODE, 0xC85F7C02, // ldxr x2, [x0]
                    0x91000442, // add x2, x2, #1
                    0xC8037C02, // stxr w3, x2, [x0]
                    0x35FFFFA3, // cbnz w3, back
                    0xF1000421, // subs x1, x1, #1
                    0x54FFFF61, // b.ne back
                    HVC);

            assertThat(runBoth(board, CODE, CODE)).isEqualTo(2 * ROUNDS);
        }
    }

    @Test
    void pairExclusiveIncrementsLoseNothing() throws Exception {
        try (FlatBoard board = new FlatBoard(1 << 20, 2, tier.translator())) {
            board.code(CODE, 0xC87F1402, // ldxp x2, x5, [x0]
                    0x91000442, // add x2, x2, #1
                    0x910008A5, // add x5, x5, #2
                    0xC8231402, // stxp w3, x2, x5, [x0]
                    0x35FFFF83, // cbnz w3, back
                    0xF1000421, // subs x1, x1, #1
                    0x54FFFF41, // b.ne back
                    HVC);

            assertThat(runBoth(board, CODE, CODE)).isEqualTo(2 * ROUNDS);
            assertThat(word(board, DATA + 8)).isEqualTo(4 * ROUNDS);
        }
    }

    @Test
    void atomicAddsLoseNothing() throws Exception {
        try (FlatBoard board = new FlatBoard(1 << 20, 2, tier.translator())) {
            board.code(CODE, 0x52800022, // mov w2, #1
                    0x78220003, // ldaddh w2, w3, [x0]
                    0xF1000421, // subs x1, x1, #1
                    0x54FFFFC1, // b.ne back
                    HVC);

            assertThat(runBoth(board, CODE, CODE)).isEqualTo(2 * ROUNDS);
        }
    }

    @Test
    void storeReleaseIsSeenByLoadAcquire() throws Exception {
        try (FlatBoard board = new FlatBoard(1 << 20, 2, tier.translator())) {
            // each CPU: publish its round number, then wait for the other's to reach it
            long first = CODE;
            long second = CODE + 0x100;
            board.code(first, program(0, 64));
            board.code(second, program(64, 0));

            runBoth(board, first, second);
            assertThat(word(board, DATA + 64)).isEqualTo(ROUNDS);
            assertThat(word(board, DATA)).isEqualTo(ROUNDS);
        }
    }

    private static int[] program(int mine, int other) {
        return new int[] {0x91000004 | mine << 10, // add x4, x0, #mine
            0x91000005 | other << 10, // add x5, x0, #other
            0xD2800002, // mov x2, #0
            0x91000442, // add x2, x2, #1
            0xC89FFC82, // stlr x2, [x4]
            0xC8DFFCA3, // ldar x3, [x5]
            0xEB02007F, // cmp x3, x2
            0x54FFFFC3, // b.lo ldar
            0xEB01005F, // cmp x2, x1
            0x54FFFF43, // b.lo add
            HVC};
    }

    @Test
    void broadcastInvalidationsOfBothSidesAreAnswered() throws Exception {
        try (FlatBoard board = new FlatBoard(1 << 20, 2, tier.translator())) {
            board.code(CODE, 0xD5033B9F, // dsb ish
                    0xD508831F, // tlbi vmalle1is
                    0xD5033B9F, // dsb ish
                    0xF9400402, // ldr x2, [x0, #8]
                    0xD1000421, // sub x1, x1, #1
                    0xB5FFFF61, // cbnz x1, back
                    HVC);

            runBoth(board, CODE, CODE);
            assertThat(board.cpus.get(0).mmu.flushes()).isGreaterThan(ROUNDS);
        }
    }

    @Test
    void stage2SyncWaitsForARunningCpu() throws Exception {
        try (FlatBoard board = new FlatBoard(1 << 20, 1, tier.translator())) {
            Cpu cpu = board.cpu();
            board.code(CODE, 0xF9400002, // ldr x2, [x0]
                    0xB4FFFFE2, // cbz x2, back
                    HVC);
            board.code(0x9000, 7);
            cpu.x[0] = DATA;
            cpu.s.pc = CODE;
            try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
                Future<CpuExit.Kind> running = thread.submit(() -> cpu.run(Long.MAX_VALUE));
                board.stage2.set(DATA, Stage2Table.entry(0x9000, Access.RWX, Access.RWX, 15));
                int epoch = board.stage2.bumpEpoch();
                board.domain.requestStage2Sync();
                board.domain.awaitStage2Sync(epoch);

                assertThat(running.get(50, TimeUnit.SECONDS)).isEqualTo(CpuExit.Kind.HYPERCALL);
            }
            assertThat(cpu.x[2]).isEqualTo(7);
        }
    }
}
