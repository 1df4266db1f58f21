package gunyah.arm64.decode;

/**
 * One decoded instruction, shared by the interpreter, the translator and every vCPU that runs it: written while
 * decoding, then published and never changed. Which operand fields mean something is said by the row; register fields
 * are already mapped to indexes of {@link gunyah.arm64.state.CpuState#x} (31 split into SP and the zero register).
 */
public final class Insn {
    /** The instruction word. */
    public final int word;
    /** The row it matched. */
    public final InstructionRow row;
    /** The interpreter's switch number: {@link InstructionRow#op}, or what the row's field decoding narrowed it to. */
    public int op;
    /** {@link InstructionRow#semantics}, copied. */
    public final Semantics semantics;
    public int rd;
    public int rn;
    public int rm;
    public int ra;
    /** Immediate, offset or precomputed mask. */
    public long imm;
    /** Small operands: shift amounts, sizes, conditions, lane numbers. */
    public int a;
    public int b;
    public int c;

    public Insn(int word, InstructionRow row) {
        this.word = word;
        this.row = row;
        this.op = row.op();
        this.semantics = row.semantics();
    }

    private Insn(Insn other, Semantics semantics) {
        word = other.word;
        row = other.row;
        op = other.op;
        this.semantics = semantics;
        rd = other.rd;
        rn = other.rn;
        rm = other.rm;
        ra = other.ra;
        imm = other.imm;
        a = other.a;
        b = other.b;
        c = other.c;
    }

    /** {@return the same instruction, where its semantics are called with another meaning} */
    public Insn with(Semantics other) {
        return new Insn(this, other);
    }

    /** {@return bits {@code low + width - 1 : low} of the word, unsigned} */
    public int bits(int low, int width) {
        return word >>> low & (1 << width) - 1;
    }

    /** {@return bits {@code low + width - 1 : low} of the word, sign extended} */
    public int signedBits(int low, int width) {
        return word << 32 - low - width >> 32 - width;
    }
}
