package gunyah.arm64.fp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.arm64.Cpu;
import gunyah.arm64.CpuConfig;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.IdlePort;
import gunyah.arm64.InnerShareable;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.VcpuControl;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every row against {@code qemu-aarch64}: random words on random states must leave the same registers and memory. */
@Tag("guest")
class FpDifferentialTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20260720L);
    private static final int CASES_PER_ROW = Integer.getInteger("gunyah.cases", 200);
    private static final String ONLY = System.getProperty("gunyah.rows", "");
    private static final int STATE_COUNT = 1024;
    private static final long TABLE = (1L << 30) - 4096;

    private final RandomCases random = new RandomCases(SEED);
    private final ByteBuffer states = ByteBuffer.allocate(STATE_COUNT * QemuOracle.STATE_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    private final byte[] buffer = new byte[512];
    private final List<InstructionRow> caseRows = new ArrayList<>();

    @Test
    void everyRowAgreesWithQemu() throws IOException {
        List<String> missing = QemuOracle.missingTools();
        if (!missing.isEmpty()) {
            System.err.println("SKIPPED: SIMD and FP rows were not compared with QEMU, missing: " + missing);
        }
        assumeTrue(missing.isEmpty(), "missing " + missing);
        fillStates();
        List<InstructionRow> rows = FpRows.ROWS.stream().filter(r -> r.name().matches(ONLY + ".*")).toList();
        ByteBuffer code = ByteBuffer.allocate(8 * rows.size() * CASES_PER_ROW).order(ByteOrder.LITTLE_ENDIAN);
        int[] stateOf = new int[rows.size() * CASES_PER_ROW];
        for (InstructionRow row : rows) {
            for (int k = 0; k < CASES_PER_ROW; k++) {
                stateOf[caseRows.size()] = random.below(STATE_COUNT);
                code.putInt(random.word(row, caseRows.size())).putInt(0xD65F03C0);
                caseRows.add(row);
            }
        }

        Map<String, List<String>> differences = new TreeMap<>();
        try (PhysicalMemory memory = new PhysicalMemory(1L << 30);
                QemuOracle oracle = QemuOracle.start(code.array(), states.array(), stateOf, buffer)) {
            Cpu cpu = cpu(memory, code.array());
            byte[] expected = new byte[QemuOracle.RESULT_BYTES];
            for (int k = 0; k < stateOf.length; k++) {
                int word = code.getInt(8 * k);
                assertThat(oracle.next(expected)).as("QEMU stopped at case %d, %s, %08x, seed %d", k,
                        caseRows.get(k).name(), word, SEED).isTrue();
                String difference = difference(cpu, memory, k, word, stateOf[k], ByteBuffer.wrap(expected));
                if (!difference.isEmpty()) {
                    differences.computeIfAbsent(caseRows.get(k).name(), name -> new ArrayList<>()).add(difference);
                }
            }
        }

        StringBuilder report = new StringBuilder();
        differences.forEach((name, list) -> report.append("%n%s: %d of %d, first %s".formatted(name, list.size(),
                CASES_PER_ROW, list.getFirst())));
        assertThat(differences.keySet()).as("seed %d, %d rows%s", SEED, rows.size(), report).isEmpty();
    }

    private void fillStates() {
        for (int state = 0; state < STATE_COUNT; state++) {
            int at = states.position();
            for (int half = 0; half < 62; half++) {
                states.putLong(random.half());
            }
            states.putLong(random.addendNear(states.getLong(at + 8 * 58), states.getLong(at + 8 * 60)));
            states.putLong(random.addendNear(states.getLong(at + 8 * 59), states.getLong(at + 8 * 61)));
            for (int x = 0; x < 28; x++) {
                states.putLong(random.general(x));
            }
            states.putLong(QemuOracle.BUFFER + 128 + 16 * random.below(8));
            states.putLong((long) random.below(16) << 28);
            states.putLong(random.fpcr());
            states.putLong(random.below(2) << 4);
        }
        for (int k = 0; k < buffer.length; k++) {
            buffer[k] = (byte) random.below(256);
        }
    }

    private static Cpu cpu(PhysicalMemory memory, byte[] code) {
        Stage2Table stage2 = new Stage2Table();
        long codeEnd = QemuOracle.CODE + code.length;
        stage2.set(QemuOracle.BUFFER, Stage2Table.entry(QemuOracle.BUFFER, Access.RWX, Access.RWX, 15));
        for (long page = QemuOracle.CODE; page < codeEnd; page += 4096) {
            stage2.set(page, Stage2Table.entry(page, Access.RWX, Access.RWX, 15));
        }
        memory.write(QemuOracle.CODE, code, 0, code.length);
        CpuConfig config = CpuConfig.of(0);
        Cpu cpu = new Cpu(config, new InnerShareable(config.features()), stage2, memory, new IdlePort(),
                new VcpuControl());
        FlatBoard.mapIdentity(cpu, stage2, memory, TABLE);
        cpu.s.fpTrapped = false;
        return cpu;
    }

    private String difference(Cpu cpu, PhysicalMemory memory, int number, int word, int state, ByteBuffer expected) {
        int at = state * QemuOracle.STATE_BYTES;
        memory.write(QemuOracle.BUFFER, buffer, 0, buffer.length);
        for (int half = 0; half < 64; half++) {
            cpu.v[half] = states.getLong(at + 8 * half);
        }
        for (int x = 0; x < 28; x++) {
            cpu.x[x] = states.getLong(at + 512 + 8 * x);
        }
        cpu.x[CpuState.SP] = states.getLong(at + 736);
        cpu.s.nzcv = (int) states.getLong(at + 744);
        cpu.s.fpcr = (int) states.getLong(at + 752);
        cpu.s.fpsr = (int) states.getLong(at + 760);
        cpu.s.pc = QemuOracle.CODE + 8L * number;
        InstructionRow row = caseRows.get(number);
        Insn insn = new Insn(word, row);
        row.fields().decode(insn);
        insn.semantics.execute(cpu, insn);

        StringBuilder report = new StringBuilder();
        expected.order(ByteOrder.LITTLE_ENDIAN);
        for (int half = 0; half < 64; half++) {
            note(report, "V%d.%d".formatted(half / 2, half % 2), expected.getLong(8 * half), cpu.v[half]);
        }
        for (int x = 0; x < 28; x++) {
            note(report, "X" + x, expected.getLong(512 + 8 * x), cpu.x[x]);
        }
        note(report, "SP", expected.getLong(736), cpu.x[CpuState.SP]);
        note(report, "NZCV", expected.getLong(744), cpu.s.nzcv & 0xFFFF_FFFFL);
        note(report, "FPSR", expected.getLong(752), cpu.s.fpsr);
        byte[] after = new byte[buffer.length];
        memory.read(QemuOracle.BUFFER, after, 0, after.length);
        for (int k = 0; k < after.length; k += 8) {
            note(report, "[%d]".formatted(k), expected.getLong(768 + k), ByteBuffer.wrap(after)
                    .order(ByteOrder.LITTLE_ENDIAN).getLong(k));
        }
        return report.isEmpty() ? "" : "%08x fpcr %08x fpsr %02x: %s operands %s".formatted(word,
                states.getLong(at + 752), states.getLong(at + 760), report, operands(word, at));
    }

    private static void note(StringBuilder report, String where, long expected, long actual) {
        if (expected != actual) {
            report.append("%s is %016x, not %016x; ".formatted(where, actual, expected));
        }
    }

    private String operands(int word, int at) {
        return "d %s n %s m %s a %s".formatted(register(word, at), register(word >> 5, at), register(word >> 16, at),
                register(word >> 10, at));
    }

    private String register(int field, int at) {
        int number = field & 31;
        String v = "V%d=%016x:%016x".formatted(number, states.getLong(at + 16 * number + 8),
                states.getLong(at + 16 * number));
        return number < 28 ? v + " X=%016x".formatted(states.getLong(at + 512 + 8 * number)) : v;
    }
}
