package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.semantics.Shift;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.MethodTypeDesc;

/** Writes loads and stores through the MMU. Registers change only after the last access of an instruction. */
final class MemoryEmitter {
    private static final MethodTypeDesc READ_INT = MethodTypeDesc.of(CD_int, CD_long);

    private final Emitter emit;
    private final CodeBuilder code;

    MemoryEmitter(Emitter emit) {
        this.emit = emit;
        this.code = emit.code;
    }

    /** {@return false when the instruction is none of these} */
    boolean emit(Insn insn) {
        switch (insn.op) {
            case Ops.LDR_X, Ops.LDR_W, Ops.LDRH, Ops.LDRB, Ops.LDRSW -> {
                code.aload(Locals.MMU);
                offset(insn, insn.imm);
                read(insn.op);
                emit.set(insn.rd);
            }
            case Ops.STR_X, Ops.STR_W, Ops.STRH, Ops.STRB -> {
                code.aload(Locals.MMU);
                offset(insn, insn.imm);
                write(insn.op, insn.rd);
            }
            case Ops.LDR_X_REG, Ops.LDR_W_REG, Ops.LDRH_REG, Ops.LDRB_REG -> {
                code.aload(Locals.MMU);
                registerOffset(insn);
                read(plain(insn.op));
                emit.set(insn.rd);
            }
            case Ops.STR_X_REG, Ops.STR_W_REG, Ops.STRB_REG -> {
                code.aload(Locals.MMU);
                registerOffset(insn);
                write(plain(insn.op), insn.rd);
            }
            case Ops.LDR_X_WB, Ops.LDR_W_WB, Ops.LDRB_WB -> {
                code.aload(Locals.MMU);
                offset(insn, insn.a);
                read(plain(insn.op));
                code.lstore(Locals.TEMP_1);
                advance(insn);
                code.lload(Locals.TEMP_1);
                emit.set(insn.rd);
            }
            case Ops.STR_X_WB, Ops.STR_W_WB, Ops.STRB_WB -> {
                code.aload(Locals.MMU);
                offset(insn, insn.a);
                write(plain(insn.op), insn.rd);
                advance(insn);
            }
            case Ops.LDP_X -> loadPair(insn);
            case Ops.STP_X -> storePair(insn);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void offset(Insn insn, long offset) {
        emit.get(insn.rn);
        if (offset != 0) {
            code.loadConstant(offset).ladd();
        }
    }

    private void registerOffset(Insn insn) {
        emit.get(insn.rn);
        emit.get(insn.rm);
        if (insn.b == Shift.UXTW) {
            emit.low();
        } else if (insn.b == Shift.SXTW) {
            code.l2i().i2l();
        }
        if (insn.a != 0) {
            code.loadConstant(insn.a).lshl();
        }
        code.ladd();
    }

    private void advance(Insn insn) {
        emit.get(insn.rn);
        code.loadConstant((long) insn.b).ladd();
        emit.set(insn.rn);
    }

    private static int plain(int op) {
        return switch (op) {
            case Ops.LDR_X_REG, Ops.LDR_X_WB -> Ops.LDR_X;
            case Ops.LDR_W_REG, Ops.LDR_W_WB -> Ops.LDR_W;
            case Ops.LDRH_REG -> Ops.LDRH;
            case Ops.LDRB_REG, Ops.LDRB_WB -> Ops.LDRB;
            case Ops.STR_X_REG, Ops.STR_X_WB -> Ops.STR_X;
            case Ops.STR_W_REG, Ops.STR_W_WB -> Ops.STR_W;
            default -> Ops.STRB;
        };
    }

    /** Stack: ..., mmu, va -> ..., value. */
    private void read(int op) {
        switch (op) {
            case Ops.LDR_X -> code.invokevirtual(Names.MMU, "read64", Names.LONG_OF_LONG);
            case Ops.LDR_W -> {
                code.invokevirtual(Names.MMU, "read32", READ_INT);
                emit.zeroExtend();
            }
            case Ops.LDRSW -> code.invokevirtual(Names.MMU, "read32", READ_INT).i2l();
            case Ops.LDRH -> code.invokevirtual(Names.MMU, "read16", READ_INT).i2l();
            default -> code.invokevirtual(Names.MMU, "read8", READ_INT).i2l();
        }
    }

    /** Stack: ..., mmu, va -> ... */
    private void write(int op, int register) {
        emit.get(register);
        if (op == Ops.STR_X) {
            code.invokevirtual(Names.MMU, "write64", Names.WRITE_LONG);
            return;
        }
        code.l2i().invokevirtual(Names.MMU, switch (op) {
            case Ops.STR_W -> "write32";
            case Ops.STRH -> "write16";
            default -> "write8";
        }, Names.WRITE_INT);
    }

    private void loadPair(Insn insn) {
        offset(insn, insn.a);
        code.lstore(Locals.TEMP_1);
        code.aload(Locals.MMU).lload(Locals.TEMP_1).invokevirtual(Names.MMU, "read64", Names.LONG_OF_LONG)
                .lstore(Locals.TEMP_2);
        code.aload(Locals.MMU).lload(Locals.TEMP_1).loadConstant(8L).ladd()
                .invokevirtual(Names.MMU, "read64", Names.LONG_OF_LONG).lstore(Locals.TEMP_3);
        if (insn.b != 0) {
            advance(insn);
        }
        code.lload(Locals.TEMP_2);
        emit.set(insn.rd);
        code.lload(Locals.TEMP_3);
        emit.set(insn.ra);
    }

    private void storePair(Insn insn) {
        offset(insn, insn.a);
        code.lstore(Locals.TEMP_1);
        code.aload(Locals.MMU).lload(Locals.TEMP_1);
        emit.get(insn.rd);
        code.invokevirtual(Names.MMU, "write64", Names.WRITE_LONG);
        code.aload(Locals.MMU).lload(Locals.TEMP_1).loadConstant(8L).ladd();
        emit.get(insn.ra);
        code.invokevirtual(Names.MMU, "write64", Names.WRITE_LONG);
        if (insn.b != 0) {
            advance(insn);
        }
    }
}
