package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.semantics.Shift;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;

/** Writes the integer data processing that the interpreter does not execute in line, by the row's name. */
final class RareIntegerEmitter {
    private final Emitter emit;
    private final CodeBuilder code;
    private final FlagsEmitter flags;

    RareIntegerEmitter(Emitter emit, FlagsEmitter flags) {
        this.emit = emit;
        this.code = emit.code;
        this.flags = flags;
    }

    /** {@return whether {@link #emit} writes it} */
    static boolean handles(Insn insn) {
        return insn.op == Ops.CALL && switch (insn.row.name()) {
            case "ADDS_shift", "SUBS_shift", "ADD_shift", "SUB_shift", "ADDS_ext", "SUBS_ext", "ADD_ext", "SUB_ext",
                    "ORN_shift", "EON_shift", "BIC_shift", "AND_shift", "ORR_shift", "EOR_shift", "ANDS_shift",
                    "BICS_shift", "ADC", "SBC", "ADCS", "SBCS", "CSINV", "CSNEG", "UDIV", "SDIV", "ASRV", "RORV",
                    "RBIT", "REV16", "REV_W", "REV32", "REV_X", "CLZ", "CLS", "MSUB", "SMSUBL", "UMSUBL", "SMULH",
                    "CRC32B", "CRC32H", "CRC32W", "CRC32X", "CRC32CB", "CRC32CH", "CRC32CW", "CRC32CX" -> true;
            default -> false;
        };
    }

    /** {@return false when the instruction is none of these} */
    boolean emit(Insn insn) {
        if (!handles(insn)) {
            return false;
        }
        boolean wide = insn.c == 1;
        String name = insn.row.name();
        switch (name) {
            case "ADDS_shift", "SUBS_shift", "ADDS_ext", "SUBS_ext" -> {
                emit.get(insn.rn);
                second(insn, name.endsWith("ext"), wide);
                code.lstore(Locals.FLAG_B).lstore(Locals.FLAG_A);
                if (Effects.bit(insn.rd) != 0) {
                    flags.result(Effects.of(insn).flags());
                    emit.set(insn.rd);
                }
                flags.define(Effects.of(insn).flags());
            }
            case "ANDS_shift", "BICS_shift" -> {
                emit.get(insn.rn);
                second(insn, false, wide);
                combine(name);
                code.lstore(Locals.FLAG_A);
                if (Effects.bit(insn.rd) != 0) {
                    code.lload(Locals.FLAG_A);
                    set(insn, wide);
                }
                flags.define(Effects.of(insn).flags());
            }
            case "ADD_shift", "SUB_shift", "ADD_ext", "SUB_ext", "ORN_shift", "EON_shift", "BIC_shift", "AND_shift",
                    "ORR_shift", "EOR_shift" -> {
                emit.get(insn.rn);
                second(insn, name.endsWith("ext"), wide);
                combine(name);
                set(insn, wide);
            }
            case "ADC", "SBC", "ADCS", "SBCS" -> withCarry(insn, name, wide);
            case "CSINV", "CSNEG" -> select(insn, name, wide);
            case "UDIV", "SDIV" -> divide(insn, name, wide);
            case "ASRV", "RORV" -> shiftVariable(insn, name, wide);
            case "MSUB" -> {
                emit.get(insn.ra);
                emit.get(insn.rn);
                emit.get(insn.rm);
                code.lmul().lsub();
                set(insn, wide);
            }
            case "SMSUBL" -> {
                emit.get(insn.ra);
                emit.getInt(insn.rn);
                code.i2l();
                emit.getInt(insn.rm);
                code.i2l().lmul().lsub();
                emit.set(insn.rd);
            }
            case "UMSUBL" -> {
                emit.get(insn.ra);
                emit.get(insn.rn);
                emit.low();
                emit.get(insn.rm);
                emit.low();
                code.lmul().lsub();
                emit.set(insn.rd);
            }
            case "SMULH" -> {
                emit.get(insn.rn);
                emit.get(insn.rm);
                code.invokestatic(Names.MATH, "multiplyHigh", Names.LONG_OF_LONGS_2);
                emit.set(insn.rd);
            }
            case "RBIT", "REV16", "REV_W", "REV32", "REV_X", "CLZ", "CLS" -> bits(insn, name, wide);
            default -> crc(insn, name);
        }
        return true;
    }

    private void set(Insn insn, boolean wide) {
        if (wide) {
            emit.set(insn.rd);
        } else {
            emit.setLow(insn.rd);
        }
    }

    /** Stack: ... -> ..., the shifted or extended operand. */
    private void second(Insn insn, boolean extended, boolean wide) {
        if (extended) {
            emit.get(insn.rm);
            code.loadConstant(insn.b).loadConstant(insn.a)
                    .invokestatic(Names.SHIFT, "extend", Names.LONG_OF_LONG_INTS_2);
        } else if (wide) {
            emit.get(insn.rm);
            code.loadConstant(insn.b).loadConstant(insn.a)
                    .invokestatic(Names.SHIFT, "shift64", Names.LONG_OF_LONG_INTS_2);
        } else {
            emit.getInt(insn.rm);
            code.loadConstant(insn.b).loadConstant(insn.a).invokestatic(Names.SHIFT, "shift32", Names.SHIFT_INT).i2l();
        }
    }

    private void combine(String name) {
        switch (name.substring(0, 3)) {
            case "ADD" -> code.ladd();
            case "SUB" -> code.lsub();
            case "AND" -> code.land();
            case "BIC" -> code.loadConstant(-1L).lxor().land();
            case "EOR" -> code.lxor();
            case "EON" -> code.loadConstant(-1L).lxor().lxor();
            case "ORN" -> code.loadConstant(-1L).lxor().lor();
            default -> code.lor();
        }
    }

    /** FLAG_A + FLAG_B + carry. */
    private void withCarry(Insn insn, String name, boolean wide) {
        flags.nzcv();
        code.loadConstant(29).iushr().iconst_1().iand().i2l().lstore(Locals.TEMP_1);
        emit.get(insn.rn);
        code.lstore(Locals.TEMP_2);
        emit.get(insn.rm);
        if (name.startsWith("SBC")) {
            code.loadConstant(-1L).lxor();
        }
        code.lstore(Locals.TEMP_3);
        code.lload(Locals.TEMP_2).lload(Locals.TEMP_3).ladd().lload(Locals.TEMP_1).ladd().lstore(Locals.TEMP_1);
        if (name.endsWith("S")) {
            code.lload(Locals.TEMP_2);
            narrow(wide);
            code.lload(Locals.TEMP_3);
            narrow(wide);
            code.lload(Locals.TEMP_1);
            narrow(wide);
            code.invokestatic(Names.FLAGS, wide ? "adc64" : "adc32", wide ? Names.INT_OF_LONGS_3 : Names.INT_OF_INTS_3);
            flags.defineNzcv();
        }
        code.lload(Locals.TEMP_1);
        set(insn, wide);
    }

    private void narrow(boolean wide) {
        if (!wide) {
            code.l2i();
        }
    }

    private void select(Insn insn, String name, boolean wide) {
        Label first = code.newLabel();
        Label end = code.newLabel();
        flags.branchIf(insn.bits(12, 4), first);
        emit.get(insn.rm);
        if (name.equals("CSINV")) {
            code.loadConstant(-1L).lxor();
        } else {
            code.lneg();
        }
        code.goto_(end);
        code.labelBinding(first);
        emit.get(insn.rn);
        code.labelBinding(end);
        set(insn, wide);
    }

    private void divide(Insn insn, String name, boolean wide) {
        Label zero = code.newLabel();
        Label end = code.newLabel();
        if (wide) {
            emit.get(insn.rm);
            code.lconst_0().lcmp().ifeq(zero);
            emit.get(insn.rn);
            emit.get(insn.rm);
            if (name.equals("SDIV")) {
                code.ldiv();
            } else {
                code.invokestatic(Names.LONG, "divideUnsigned", Names.LONG_OF_LONGS_2);
            }
        } else {
            emit.getInt(insn.rm);
            code.ifeq(zero);
            emit.getInt(insn.rn);
            emit.getInt(insn.rm);
            if (name.equals("SDIV")) {
                code.idiv();
            } else {
                code.invokestatic(Names.INTEGER, "divideUnsigned", Names.COMPARE_INTS);
            }
            emit.zeroExtend();
        }
        code.goto_(end);
        code.labelBinding(zero);
        code.lconst_0();
        code.labelBinding(end);
        emit.set(insn.rd);
    }

    private void shiftVariable(Insn insn, String name, boolean wide) {
        if (wide) {
            emit.get(insn.rn);
            emit.getInt(insn.rm);
            if (name.equals("ASRV")) {
                code.lshr();
            } else {
                code.invokestatic(Names.LONG, "rotateRight", Names.LONG_OF_LONG_INT);
            }
        } else {
            emit.getInt(insn.rn);
            emit.getInt(insn.rm);
            if (name.equals("ASRV")) {
                code.ishr();
            } else {
                code.invokestatic(Names.INTEGER, "rotateRight", Names.COMPARE_INTS);
            }
            emit.zeroExtend();
        }
        emit.set(insn.rd);
    }

    private void bits(Insn insn, String name, boolean wide) {
        switch (name) {
            case "REV_X" -> {
                emit.get(insn.rn);
                code.invokestatic(Names.LONG, "reverseBytes", Names.LONG_OF_LONG);
            }
            case "REV32" -> {
                emit.get(insn.rn);
                code.invokestatic(Names.LONG, "reverseBytes", Names.LONG_OF_LONG).loadConstant(32)
                        .invokestatic(Names.LONG, "rotateLeft", Names.LONG_OF_LONG_INT);
            }
            case "REV_W" -> {
                emit.getInt(insn.rn);
                code.invokestatic(Names.INTEGER, "reverseBytes", Names.INT_OF_INT);
                emit.zeroExtend();
            }
            case "REV16" -> {
                emit.get(insn.rn);
                code.loadConstant(0x00FF_00FF_00FF_00FFL).land().loadConstant(8).lshl();
                emit.get(insn.rn);
                code.loadConstant(8).lushr().loadConstant(0x00FF_00FF_00FF_00FFL).land().lor();
                if (!wide) {
                    emit.low();
                }
            }
            case "RBIT" -> count(insn, wide, "reverse", Names.LONG_OF_LONG);
            case "CLZ" -> count(insn, wide, "numberOfLeadingZeros", Names.INT_OF_LONG);
            default -> {
                // CLS: leading zeros of the value turned positive, less the sign
                emit.get(insn.rn);
                if (!wide) {
                    code.l2i().i2l();
                }
                code.dup2().loadConstant(63).lshr().lxor().invokestatic(Names.LONG, "numberOfLeadingZeros",
                        Names.INT_OF_LONG).loadConstant(wide ? 1 : 33).isub().i2l();
            }
        }
        emit.set(insn.rd);
    }

    private void count(Insn insn, boolean wide, String method, java.lang.constant.MethodTypeDesc type) {
        if (wide) {
            emit.get(insn.rn);
            code.invokestatic(Names.LONG, method, type);
            if (type == Names.INT_OF_LONG) {
                code.i2l();
            }
        } else {
            emit.getInt(insn.rn);
            code.invokestatic(Names.INTEGER, method, Names.INT_OF_INT);
            emit.zeroExtend();
        }
    }

    private void crc(Insn insn, String name) {
        emit.getInt(insn.rn);
        emit.get(insn.rm);
        boolean castagnoli = name.startsWith("CRC32C");
        code.invokestatic(Names.CRC32, (castagnoli ? "castagnoli" : "ieee") + switch (name.charAt(name.length() - 1)) {
            case 'B' -> 8;
            case 'H' -> 16;
            case 'W' -> 32;
            default -> 64;
        }, Names.CRC);
        emit.zeroExtend();
        emit.set(insn.rd);
    }
}
