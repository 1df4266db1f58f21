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
            case Ops.ADD_IMM_X, Ops.ADD_IMM_W, Ops.AND_IMM, Ops.ORR_IMM_X, Ops.ORR_IMM_W, Ops.EOR_IMM_X,
                    Ops.EOR_IMM_W -> {
                emit.get(insn.rn);
                code.loadConstant(insn.imm);
                combine(insn.op);
                set(insn, isWord(insn.op));
            }
            case Ops.ADD_LSL_X, Ops.ADD_LSL_W, Ops.SUB_LSL_X, Ops.SUB_LSL_W, Ops.AND_LSL_X, Ops.AND_LSL_W,
                    Ops.ORR_LSL_X, Ops.ORR_LSL_W, Ops.EOR_LSL_X, Ops.EOR_LSL_W, Ops.BIC_LSL_X, Ops.BIC_LSL_W -> {
                emit.get(insn.rn);
                shiftedLeft(insn);
                combine(insn.op);
                set(insn, isWord(insn.op));
            }
            case Ops.ADD_SHIFT_X, Ops.SUB_SHIFT_X, Ops.ORR_SHIFT_X, Ops.EOR_SHIFT_X -> {
                emit.get(insn.rn);
                emit.get(insn.rm);
                shift64(insn);
                combine(insn.op);
                set(insn, false);
            }
            case Ops.ADD_SHIFT_W, Ops.ORR_SHIFT_W, Ops.EOR_SHIFT_W -> {
                emit.get(insn.rn);
                emit.getInt(insn.rm);
                shift32(insn);
                code.i2l();
                combine(insn.op);
                set(insn, true);
            }
            case Ops.ADD_EXT_X -> {
                emit.get(insn.rn);
                extended(insn);
                code.ladd();
                set(insn, false);
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
            case Ops.ANDS_IMM_X, Ops.ANDS_IMM_W -> {
                emit.get(insn.rn);
                code.loadConstant(insn.imm).land();
                logicalFlags(insn, insn.op == Ops.ANDS_IMM_W);
            }
            case Ops.ANDS_LSL_X, Ops.ANDS_LSL_W -> {
                emit.get(insn.rn);
                shiftedLeft(insn);
                code.land();
                logicalFlags(insn, insn.op == Ops.ANDS_LSL_W);
            }
            case Ops.ADC_X -> {
                emit.get(insn.rn);
                emit.get(insn.rm);
                code.ladd();
                flags.carry();
                code.ladd();
                set(insn, false);
            }
            case Ops.ADCS_X, Ops.SBCS_X -> carryFlags(insn);
            case Ops.UBFX -> {
                emit.get(insn.rn);
                shiftBy(insn.a);
                code.loadConstant(insn.imm).land();
                set(insn, false);
            }
            case Ops.UBFIZ -> {
                emit.get(insn.rn);
                code.loadConstant(insn.imm).land().loadConstant(insn.a).lshl();
                set(insn, false);
            }
            case Ops.SBFM_X, Ops.SBFM_W -> {
                emit.get(insn.rn);
                code.loadConstant(insn.a).lshl().loadConstant(insn.b).lshr();
                set(insn, insn.op == Ops.SBFM_W);
            }
            case Ops.BFM_X, Ops.BFM_W -> bitfieldInsert(insn);
            case Ops.EXTR_X -> {
                emit.get(insn.rm);
                code.loadConstant(insn.a).lushr();
                emit.get(insn.rn);
                code.iconst_1().lshl().loadConstant(63 - insn.a).lshl().lor();
                set(insn, false);
            }
            case Ops.EXTR_W -> {
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
                set(insn, false);
            }
            case Ops.LSLV_W, Ops.LSRV_W -> {
                emit.getInt(insn.rn);
                emit.getInt(insn.rm);
                if (insn.op == Ops.LSLV_W) {
                    code.ishl();
                } else {
                    code.iushr();
                }
                emit.zeroExtend();
                emit.set(insn.rd);
            }
            case Ops.MADD_X, Ops.MADD_W -> {
                emit.get(insn.ra);
                product(insn);
                code.ladd();
                set(insn, insn.op == Ops.MADD_W);
            }
            case Ops.MSUB_X -> {
                emit.get(insn.ra);
                product(insn);
                code.lsub();
                set(insn, false);
            }
            case Ops.UMADDL -> {
                emit.get(insn.ra);
                emit.get(insn.rn);
                emit.low();
                emit.get(insn.rm);
                emit.low();
                code.lmul().ladd();
                set(insn, false);
            }
            case Ops.SMADDL -> {
                emit.get(insn.ra);
                emit.getInt(insn.rn);
                code.i2l();
                emit.getInt(insn.rm);
                code.i2l().lmul().ladd();
                set(insn, false);
            }
            case Ops.UMULH -> {
                emit.get(insn.rn);
                emit.get(insn.rm);
                code.invokestatic(Names.MATH, "unsignedMultiplyHigh", Names.LONG_OF_LONGS_2);
                set(insn, false);
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

    private static boolean isWord(int op) {
        return switch (op) {
            case Ops.ADD_IMM_W, Ops.ORR_IMM_W, Ops.EOR_IMM_W, Ops.ADD_LSL_W, Ops.SUB_LSL_W, Ops.AND_LSL_W,
                    Ops.ORR_LSL_W, Ops.EOR_LSL_W, Ops.BIC_LSL_W -> true;
            default -> false;
        };
    }

    private void combine(int op) {
        switch (op) {
            case Ops.ADD_IMM_X, Ops.ADD_IMM_W, Ops.ADD_LSL_X, Ops.ADD_LSL_W, Ops.ADD_SHIFT_X, Ops.ADD_SHIFT_W ->
                code.ladd();
            case Ops.SUB_LSL_X, Ops.SUB_LSL_W, Ops.SUB_SHIFT_X -> code.lsub();
            case Ops.AND_IMM, Ops.AND_LSL_X, Ops.AND_LSL_W -> code.land();
            case Ops.EOR_IMM_X, Ops.EOR_IMM_W, Ops.EOR_LSL_X, Ops.EOR_LSL_W, Ops.EOR_SHIFT_X, Ops.EOR_SHIFT_W ->
                code.lxor();
            case Ops.BIC_LSL_X, Ops.BIC_LSL_W -> code.loadConstant(-1L).lxor().land();
            default -> code.lor();
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
            code.lload(Locals.FLAG_A).lload(Locals.FLAG_B);
            if (kind == PendingFlags.SUB_64 || kind == PendingFlags.SUB_32) {
                code.lsub();
            } else {
                code.ladd();
            }
            set(insn, kind == PendingFlags.SUB_32 || kind == PendingFlags.ADD_32);
        }
        flags.define(kind);
    }

    private void logicalFlags(Insn insn, boolean word) {
        code.lstore(Locals.FLAG_A);
        if (Effects.bit(insn.rd) != 0) {
            code.lload(Locals.FLAG_A);
            set(insn, word);
        }
        flags.define(Effects.of(insn).flags());
    }

    private void carryFlags(Insn insn) {
        flags.carry();
        emit.get(insn.rn);
        emit.get(insn.rm);
        if (insn.op == Ops.SBCS_X) {
            code.loadConstant(-1L).lxor();
        }
        code.lstore(Locals.FLAG_B).lstore(Locals.FLAG_A);
        code.lload(Locals.FLAG_A).ladd().lload(Locals.FLAG_B).ladd().lstore(Locals.TEMP_1);
        code.lload(Locals.FLAG_A).lload(Locals.FLAG_B).lload(Locals.TEMP_1)
                .invokestatic(Names.FLAGS, "adc64", Names.INT_OF_LONGS_3);
        flags.defineNzcv();
        code.lload(Locals.TEMP_1);
        set(insn, false);
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
        flags.branchIf(condition, first);
        emit.get(insn.rm);
        switch (insn.op) {
            case Ops.CSINC_X, Ops.CSINC_W -> code.lconst_1().ladd();
            case Ops.CSINV_X -> code.loadConstant(-1L).lxor();
            default -> { }
        }
        code.goto_(end);
        code.labelBinding(first);
        emit.get(insn.rn);
        code.labelBinding(end);
        set(insn, insn.op == Ops.CSEL_W || insn.op == Ops.CSINC_W);
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
