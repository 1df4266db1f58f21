package gunyah.arm64.fp;

import static gunyah.arm64.fp.Encoding.row;
import static gunyah.arm64.fp.Lanes.sx;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.fp.Lanes.LaneOp;
import java.util.ArrayList;
import java.util.List;

/**
 * Advanced SIMD across lanes and scalar pairwise on integers (Arm ARM C4.1.95). {@code a} is the element size,
 * {@code b} Q.
 */
final class AcrossLanes {
    static final List<InstructionRow> ROWS = rows();

    private AcrossLanes() {
    }

    private static List<InstructionRow> rows() {
        List<InstructionRow> rows = new ArrayList<>();
        across(rows, "SADDLV", 0, 0b00011, 1, (s, z, d, n, m) -> n + sx(m, z));
        across(rows, "UADDLV", 1, 0b00011, 1, (s, z, d, n, m) -> n + m);
        across(rows, "SMAXV", 0, 0b01010, 0, (s, z, d, n, m) -> Math.max(sx(n, z), sx(m, z)));
        across(rows, "UMAXV", 1, 0b01010, 0, (s, z, d, n, m) -> Math.max(n, m));
        across(rows, "SMINV", 0, 0b11010, 0, (s, z, d, n, m) -> Math.min(sx(n, z), sx(m, z)));
        across(rows, "UMINV", 1, 0b11010, 0, (s, z, d, n, m) -> Math.min(n, m));
        across(rows, "ADDV", 0, 0b11011, 0, (s, z, d, n, m) -> n + m);
        rows.add(row("ADDP_s", "01011110 11 11000 11011 10 nnnnn ddddd", Encoding::scalar, (cpu, i) -> {
            cpu.v[2 * i.rd] = cpu.v[2 * i.rn] + cpu.v[2 * i.rn + 1];
            cpu.v[2 * i.rd + 1] = 0;
        }));
        return rows;
    }

    private static void across(List<InstructionRow> rows, String name, int u, int opcode, int widening, LaneOp op) {
        rows.add(row(name, "0Q" + u + "01110 zz 11000 " + Encoding.binary(opcode, 5) + " 10 nnnnn ddddd",
                AcrossLanes::fields, (cpu, i) -> reduce(cpu, i, widening, op)));
    }

    private static boolean fields(Insn i) {
        Encoding.vector(i);
        return i.a < 2 || i.a == 2 && i.b == 1;
    }

    private static void reduce(Cpu cpu, Insn i, int widening, LaneOp op) {
        long first = Lanes.get(cpu.v, i.rn, i.a, 0);
        long result = widening == 0 ? first : op.apply(cpu.s, i.a, 0, 0, first);
        int elements = 8 << i.b >> i.a;
        for (int e = 1; e < elements; e++) {
            result = op.apply(cpu.s, i.a, 0, result, Lanes.get(cpu.v, i.rn, i.a, e));
        }
        cpu.v[2 * i.rd] = result & Lanes.mask(i.a + widening);
        cpu.v[2 * i.rd + 1] = 0;
    }
}
