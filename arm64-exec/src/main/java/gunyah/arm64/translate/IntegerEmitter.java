package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.semantics.Shift;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;

/**
 * Writes integer data processing: the forms that the interpreter executes in line, by {@link Insn#op}, and with {@link
 * RareIntegerEmitter} all others.
 */
final class IntegerEmitter {
    private static final int LSR = 1;
    private static final int ASR = 2;

    private final Emitter emit;
    private final CodeBuilder code;
    private final FlagsEmitter flags;
    private final RareIntegerEmitter rare;

    IntegerEmitter(Emitter emit, FlagsEmitter flags) {
        this.rare = new RareIntegerEmitter(emit, flags);
        this.emit = emit;
        this.code = emit.code;
        this.flags = flags;
    }

    /** {@return false when the instruction is none of these} */
    boolean emit(Insn insn, int slot) {
        switch (insn.op) {
            case Ops.NOP -> { }
            case Ops.CONST -> constant(insn, insn.imm);
            case Ops.ADR -> address(insn, slot * 4L + insn.imm);
            case Ops.ADRP -> address(insn, insn.imm);
            case Ops.MOVK_X, Ops.MOVK_W -> moveKeep(insn);
            case Ops.MOV_X -> {
                emit.get(insn.rm);
                emit.set(insn.rd);
            }
            case Ops.MOV_W -> {
                emit.get(insn.rm);
                emit.setLow(insn.rd);
            }
            case Ops.ADD_IMM_X, Ops.AND_IMM, Ops.ORR_IMM_X, Ops.EOR_IMM_X -> {
                emit.get(insn.rn);
                code.loadConstant(insn.imm);
                combine(insn.op);
                emit.set(insn.rd);
            }
            case Ops.ADD_IMM_W, Ops.ORR_IMM_W, Ops.EOR_IMM_W -> {
                emit.getInt(insn.rn);
                code.loadConstant((int) insn.imm);
                combine32(insn.op);
                emit.setInt(insn.rd);
            }
            case Ops.ADD_LSL_X, Ops.SUB_LSL_X, Ops.AND_LSL_X, Ops.ORR_LSL_X, Ops.EOR_LSL_X, Ops.BIC_LSL_X -> {
                emit.get(insn.rn);
                shiftedLeft(insn);
                combine(insn.op);
                emit.set(insn.rd);
            }
            case Ops.ADD_LSL_W, Ops.SUB_LSL_W, Ops.AND_LSL_W, Ops.ORR_LSL_W, Ops.EOR_LSL_W, Ops.BIC_LSL_W -> {
                emit.getInt(insn.rn);
                shiftedLeft32(insn);
                combine32(insn.op);
                emit.setInt(insn.rd);
            }
            case Ops.ADD_SHIFT_X, Ops.SUB_SHIFT_X, Ops.ORR_SHIFT_X, Ops.EOR_SHIFT_X -> {
                emit.get(insn.rn);
                emit.get(insn.rm);
                shift64(insn);
                combine(insn.op);
                emit.set(insn.rd);
            }
            case Ops.ADD_SHIFT_W, Ops.ORR_SHIFT_W, Ops.EOR_SHIFT_W -> {
                emit.getInt(insn.rn);
                emit.getInt(insn.rm);
                shift32(insn);
                combine32(insn.op);
                emit.setInt(insn.rd);
            }
            case Ops.ADD_EXT_X -> {
                emit.get(insn.rn);
                extended(insn);
                code.ladd();
                emit.set(insn.rd);
            }
            case Ops.ADDS_IMM_X, Ops.ADDS_IMM_W, Ops.SUBS_IMM_X, Ops.SUBS_IMM_W -> {
                emit.get(insn.rn);
                code.lstore(Locals.FLAG_A).loadConstant(insn.imm).lstore(Locals.FLAG_B);
                arithmeticFlags(insn);
            }
            case Ops.ADDS_LSL_X, Ops.ADDS_LSL_W, Ops.SUBS_LSL_X, Ops.SUBS_LSL_W -> {
                emit.get(insn.rn);
                shiftedLeft(insn);
                code.lstore(Locals.FLAG_B).lstore(Locals.FLAG_A);
                arithmeticFlags(insn);
            }
            case Ops.ANDS_IMM_X -> {
                emit.get(insn.rn);
                code.loadConstant(insn.imm).land();
                logicalFlags(insn);
            }
            case Ops.ANDS_IMM_W -> {
                emit.getInt(insn.rn);
                code.loadConstant((int) insn.imm).iand();
                emit.zeroExtend();
                logicalFlags(insn);
            }
            case Ops.ANDS_LSL_X -> {
                emit.get(insn.rn);
                shiftedLeft(insn);
                code.land();
                logicalFlags(insn);
            }
            case Ops.ANDS_LSL_W -> {
                emit.getInt(insn.rn);
                shiftedLeft32(insn);
                code.iand();
                emit.zeroExtend();
                logicalFlags(insn);
            }
            case Ops.ADC_X -> {
                emit.get(insn.rn);
                emit.get(insn.rm);
                code.ladd();
                flags.carry();
                code.ladd();
                emit.set(insn.rd);
            }
            case Ops.ADCS_X, Ops.SBCS_X -> carryFlags(insn);
            case Ops.UBFX -> {
                emit.get(insn.rn);
                shiftBy(insn.a);
                code.loadConstant(insn.imm).land();
                emit.set(insn.rd);
            }
            case Ops.UBFIZ -> {
                emit.get(insn.rn);
                code.loadConstant(insn.imm).land().loadConstant(insn.a).lshl();
                emit.set(insn.rd);
            }
            case Ops.SBFM_X, Ops.SBFM_W -> {
                emit.get(insn.rn);
                if (insn.a == insn.b && insn.a == 32) {
                    code.l2i().i2l();
                } else {
                    code.loadConstant(insn.a).lshl().loadConstant(insn.b).lshr();
                }
                set(insn, insn.op == Ops.SBFM_W);
            }
            case Ops.BFM_X, Ops.BFM_W -> bitfieldInsert(insn);
            case Ops.EXTR_X -> {
                emit.get(insn.rm);
                if (insn.rn == insn.rm) {
                    code.loadConstant(insn.a).invokestatic(Names.LONG, "rotateRight", Names.LONG_OF_LONG_INT);
                    emit.set(insn.rd);
                    return true;
                }
                code.loadConstant(insn.a).lushr();
                emit.get(insn.rn);
                code.iconst_1().lshl().loadConstant(63 - insn.a).lshl().lor();
                emit.set(insn.rd);
            }
            case Ops.EXTR_W -> {
                if (insn.rn == insn.rm) {
                    emit.getInt(insn.rm);
                    code.loadConstant(insn.a).invokestatic(Names.INTEGER, "rotateRight", Names.COMPARE_INTS);
                    emit.setInt(insn.rd);
                    return true;
                }
                emit.get(insn.rn);
                code.loadConstant(32).lshl();
                emit.get(insn.rm);
                emit.low();
                code.lor().loadConstant(insn.a).lushr();
                set(insn, true);
            }
            case Ops.LSLV_X, Ops.LSRV_X -> {
                emit.get(insn.rn);
                emit.getInt(insn.rm);
                if (insn.op == Ops.LSLV_X) {
                    code.lshl();
                } else {
                    code.lushr();
                }
                emit.set(insn.rd);
            }
            case Ops.LSLV_W, Ops.LSRV_W -> {
                emit.getInt(insn.rn);
                emit.getInt(insn.rm);
                if (insn.op == Ops.LSLV_W) {
                    code.ishl();
                } else {
                    code.iushr();
                }
                emit.setInt(insn.rd);
            }
            case Ops.MADD_X -> {
                emit.get(insn.ra);
                product(insn);
                code.ladd();
                emit.set(insn.rd);
            }
            case Ops.MADD_W -> {
                emit.getInt(insn.ra);
                emit.getInt(insn.rn);
                emit.getInt(insn.rm);
                code.imul().iadd();
                emit.setInt(insn.rd);
            }
            case Ops.MSUB_X -> {
                emit.get(insn.ra);
                product(insn);
                code.lsub();
                emit.set(insn.rd);
            }
            case Ops.UMADDL -> {
                emit.get(insn.ra);
                emit.get(insn.rn);
                emit.low();
                emit.get(insn.rm);
                emit.low();
                code.lmul().ladd();
                emit.set(insn.rd);
            }
            case Ops.SMADDL -> {
                emit.get(insn.ra);
                emit.getInt(insn.rn);
                code.i2l();
                emit.getInt(insn.rm);
                code.i2l().lmul().ladd();
                emit.set(insn.rd);
            }
            case Ops.UMULH -> {
                emit.get(insn.rn);
                emit.get(insn.rm);
                code.invokestatic(Names.MATH, "unsignedMultiplyHigh", Names.LONG_OF_LONGS_2);
                emit.set(insn.rd);
            }
            case Ops.CSEL_X, Ops.CSEL_W, Ops.CSINC_X, Ops.CSINC_W, Ops.CSINV_X -> select(insn);
            case Ops.CCMP -> conditionalCompare(insn);
            case Ops.CALL -> {
                return rare.emit(insn);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void combine(int op) {
        switch (op) {
            case Ops.ADD_IMM_X, Ops.ADD_LSL_X, Ops.ADD_SHIFT_X -> code.ladd();
            case Ops.SUB_LSL_X, Ops.SUB_SHIFT_X -> code.lsub();
            case Ops.AND_IMM, Ops.AND_LSL_X -> code.land();
            case Ops.EOR_IMM_X, Ops.EOR_LSL_X, Ops.EOR_SHIFT_X -> code.lxor();
            case Ops.BIC_LSL_X -> code.loadConstant(-1L).lxor().land();
            default -> code.lor();
        }
    }

    private void combine32(int op) {
        switch (op) {
            case Ops.ADD_IMM_W, Ops.ADD_LSL_W, Ops.ADD_SHIFT_W -> code.iadd();
            case Ops.SUB_LSL_W -> code.isub();
            case Ops.AND_LSL_W -> code.iand();
            case Ops.EOR_IMM_W, Ops.EOR_LSL_W, Ops.EOR_SHIFT_W -> code.ixor();
            case Ops.BIC_LSL_W -> code.iconst_m1().ixor().iand();
            default -> code.ior();
        }
    }

    private void set(Insn insn, boolean word) {
        if (word) {
            emit.setLow(insn.rd);
        } else {
            emit.set(insn.rd);
        }
    }

    private void constant(Insn insn, long value) {
        code.loadConstant(value);
        emit.set(insn.rd);
    }

    private void address(Insn insn, long offset) {
        code.lload(Locals.PAGE_VA).loadConstant(offset).ladd();
        emit.set(insn.rd);
    }

    private void moveKeep(Insn insn) {
        if (Effects.bit(insn.rd) == 0) {
            return;
        }
        emit.get(insn.rd);
        code.loadConstant(~(0xFFFFL << insn.a)).land().loadConstant(insn.imm).lor();
        set(insn, insn.op == Ops.MOVK_W);
    }

    private void shiftBy(int amount) {
        if (amount != 0) {
            code.loadConstant(amount).lushr();
        }
    }

    private void shiftedLeft(Insn insn) {
        emit.get(insn.rm);
        if (insn.a != 0) {
            code.loadConstant(insn.a).lshl();
        }
    }

    private void shiftedLeft32(Insn insn) {
        emit.getInt(insn.rm);
        if (insn.a != 0) {
            code.loadConstant(insn.a).ishl();
        }
    }

    private void shift64(Insn insn) {
        code.loadConstant(insn.a);
        switch (insn.b) {
            case LSR -> code.lushr();
            case ASR -> code.lshr();
            case Shift.LSL -> code.lshl();
            default -> code.invokestatic(Names.LONG, "rotateRight", Names.LONG_OF_LONG_INT);
        }
    }

    private void shift32(Insn insn) {
        code.loadConstant(insn.a);
        switch (insn.b) {
            case LSR -> code.iushr();
            case ASR -> code.ishr();
            case Shift.LSL -> code.ishl();
            default -> code.invokestatic(Names.INTEGER, "rotateRight", Names.COMPARE_INTS);
        }
    }

    private void extended(Insn insn) {
        emit.get(insn.rm);
        switch (insn.b) {
            case 0 -> code.loadConstant(0xFFL).land();
            case 1 -> code.loadConstant(0xFFFFL).land();
            case Shift.UXTW -> emit.low();
            case 4 -> code.l2i().i2b().i2l();
            case 5 -> code.l2i().i2s().i2l();
            case Shift.SXTW -> code.l2i().i2l();
            default -> { }
        }
        if (insn.a != 0) {
            code.loadConstant(insn.a).lshl();
        }
    }

    private void product(Insn insn) {
        emit.get(insn.rn);
        emit.get(insn.rm);
        code.lmul();
    }

    private void arithmeticFlags(Insn insn) {
        int kind = Effects.of(insn).flags();
        if (Effects.bit(insn.rd) != 0) {
            flags.result(kind);
            emit.set(insn.rd);
        }
        flags.define(kind);
    }

    private void logicalFlags(Insn insn) {
        code.lstore(Locals.FLAG_A);
        if (Effects.bit(insn.rd) != 0) {
            code.lload(Locals.FLAG_A);
            emit.set(insn.rd);
        }
        flags.define(Effects.of(insn).flags());
    }

    private void carryFlags(Insn insn) {
        flags.carry();
        code.dup2().l2i().istore(Locals.NZCV);
        emit.get(insn.rn);
        emit.get(insn.rm);
        if (insn.op == Ops.SBCS_X) {
            code.loadConstant(-1L).lxor();
        }
        code.lstore(Locals.FLAG_B).lstore(Locals.FLAG_A);
        code.lload(Locals.FLAG_A).ladd().lload(Locals.FLAG_B).ladd().lstore(Locals.FLAG_SUM);
        flags.define(PendingFlags.ADC_64);
        code.lload(Locals.FLAG_SUM);
        emit.set(insn.rd);
    }

    private void bitfieldInsert(Insn insn) {
        if (Effects.bit(insn.rd) == 0) {
            return;
        }
        emit.get(insn.rd);
        code.loadConstant(~insn.imm).land();
        emit.get(insn.rn);
        if (insn.a != 0) {
            code.loadConstant(insn.a).invokestatic(Names.LONG, "rotateRight", Names.LONG_OF_LONG_INT);
        }
        code.loadConstant(insn.imm).land().lor();
        set(insn, insn.op == Ops.BFM_W);
    }

    private void select(Insn insn) {
        int condition = insn.bits(12, 4);
        boolean increment = insn.op == Ops.CSINC_X || insn.op == Ops.CSINC_W;
        if (increment && insn.rn == insn.rm && (condition & ~1) == FlagsEmitter.HS) {
            // CINC and CSET by the carry, which nobody can predict
            emit.get(insn.rn);
            flags.carry();
            if (condition == FlagsEmitter.HS) {
                code.lconst_1().lxor();
            }
            code.ladd();
            set(insn, insn.op == Ops.CSINC_W);
            return;
        }
        Label first = code.newLabel();
        Label end = code.newLabel();
        boolean word = insn.op == Ops.CSEL_W || insn.op == Ops.CSINC_W;
        flags.branchIf(condition, first);
        operand(insn.rm, word);
        switch (insn.op) {
            case Ops.CSINC_X -> code.lconst_1().ladd();
            case Ops.CSINC_W -> code.iconst_1().iadd();
            case Ops.CSINV_X -> code.loadConstant(-1L).lxor();
            default -> { }
        }
        code.goto_(end);
        code.labelBinding(first);
        operand(insn.rn, word);
        code.labelBinding(end);
        if (word) {
            emit.setInt(insn.rd);
        } else {
            emit.set(insn.rd);
        }
    }

    private void operand(int register, boolean word) {
        if (word) {
            emit.getInt(register);
        } else {
            emit.get(register);
        }
    }

    private void conditionalCompare(Insn insn) {
        Label compare = code.newLabel();
        Label end = code.newLabel();
        flags.branchIf(insn.bits(12, 4), compare);
        code.loadConstant(insn.ra).goto_(end);
        code.labelBinding(compare);
        boolean wide = insn.c == 1;
        comparison(insn, wide);
        code.labelBinding(end);
        flags.defineNzcv();
    }

    private void comparison(Insn insn, boolean wide) {
        boolean subtract = (insn.b & 1) != 0;
        operands(insn, wide);
        operands(insn, wide);
        if (wide) {
            if (subtract) {
                code.lsub();
            } else {
                code.ladd();
            }
        } else if (subtract) {
            code.isub();
        } else {
            code.iadd();
        }
        code.invokestatic(Names.FLAGS, (subtract ? "sub" : "add") + (wide ? "64" : "32"),
                wide ? Names.INT_OF_LONGS_3 : Names.INT_OF_INTS_3);
    }

    private void operands(Insn insn, boolean wide) {
        emit.get(insn.rn);
        if (!wide) {
            code.l2i();
        }
        if ((insn.b & 2) != 0) {
            if (wide) {
                code.loadConstant(insn.imm);
            } else {
                code.loadConstant((int) insn.imm);
            }
        } else {
            emit.get(insn.rm);
            if (!wide) {
                code.l2i();
            }
        }
    }
}
