package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes floating point by the JVM's arithmetic, where that gives result and flags: in the usual mode, and when operands
 * and result say so ({@link gunyah.arm64.fp.UsualFp}). Else the region is left before the instruction.
 */
final class FpEmitter {
    private static final MethodTypeDesc UNLESS = MethodTypeDesc.of(CD_void, CD_boolean);
    private static final MethodTypeDesc HALF_OF_3 = MethodTypeDesc.of(CD_long, CD_long, CD_long, CD_long);
    private static final MethodTypeDesc INTEGER = MethodTypeDesc.of(CD_long, CD_double, CD_double, CD_double);
    private static final MethodTypeDesc SINGLE = MethodTypeDesc.of(CD_float, CD_double);
    private static final MethodTypeDesc DOUBLE_1 = MethodTypeDesc.of(CD_double, CD_double);
    private static final int DOUBLE = 3;

    private final Emitter emit;
    private final CodeBuilder code;
    private final FlagsEmitter flags;

    FpEmitter(Emitter emit, FlagsEmitter flags) {
        this.emit = emit;
        this.code = emit.code;
        this.flags = flags;
    }

    /** {@return whether it leaves its flags as a pending comparison} */
    static boolean isCompare(Insn insn) {
        return insn.op == Ops.CALL && switch (insn.row.name()) {
            case "FCMP_float", "FCMPE_float", "FCMP_float_zero", "FCMPE_float_zero" -> true;
            default -> false;
        };
    }

    /** {@return whether {@link #emit} writes it} */
    static boolean handles(Insn insn) {
        return isCompare(insn) || insn.op == Ops.CALL && switch (insn.row.name()) {
            case "FADD_float", "FSUB_float", "FMUL_float", "FNMUL_float", "FDIV_float", "FSQRT_float", "FMADD_float",
                    "FMSUB_float", "FNMADD_float", "FNMSUB_float", "FMOV_float", "FABS_float", "FNEG_float",
                    "FMOV_float_imm", "FCSEL_float", "FCVT_float_DS", "FCVT_float_SD", "SCVTF_float_int",
                    "UCVTF_float_int", "FCVTZS_float_int", "FCVTZU_float_int", "SCVTF_float_fix", "UCVTF_float_fix",
                    "FCVTZS_float_fix", "FCVTZU_float_fix" -> true;
            case "FADD_v", "FSUB_v", "FMUL_v", "FMLA_v" -> true;
            default -> false;
        };
    }

    /** {@return whether the region may be left before it} */
    static boolean mayMiss(Insn insn) {
        return handles(insn) && switch (insn.row.name()) {
            case "FMOV_float", "FABS_float", "FNEG_float", "FMOV_float_imm", "FCSEL_float" -> false;
            default -> true;
        };
    }

    void emit(Insn insn) {
        String name = insn.row.name();
        if (mayMiss(insn)) {
            code.iload(Locals.USUAL).invokestatic(Names.MISS, "unless", UNLESS);
        }
        if (isCompare(insn)) {
            compare(insn, name.endsWith("zero"));
            return;
        }
        switch (name) {
            case "FMOV_float" -> bits(insn, insn.rn);
            case "FABS_float" -> {
                bits(insn, insn.rn);
                code.loadConstant(~sign(insn)).land();
            }
            case "FNEG_float" -> {
                bits(insn, insn.rn);
                code.loadConstant(sign(insn)).lxor();
            }
            case "FMOV_float_imm" -> code.loadConstant(insn.imm);
            case "FCSEL_float" -> select(insn);
            case "FCVTZS_float_int", "FCVTZU_float_int", "FCVTZS_float_fix", "FCVTZU_float_fix" -> {
                toInteger(insn, name);
                return;
            }
            case "FADD_v", "FSUB_v", "FMUL_v", "FMLA_v" -> {
                vector(insn, name);
                return;
            }
            case "FCVT_float_DS" -> {
                toFloat(insn.rn);
                code.f2d().invokestatic(Names.USUAL, "sum", DOUBLE_1);
                bitsOf(true);
            }
            case "FCVT_float_SD" -> {
                toDouble(Locals.low(insn.rn));
                code.invokestatic(Names.USUAL, "single", SINGLE);
                bitsOf(false);
            }
            case "SCVTF_float_int", "UCVTF_float_int", "SCVTF_float_fix", "UCVTF_float_fix" -> fromInteger(insn, name);
            default -> arithmetic(insn, name);
        }
        emit.setLowHalf(insn.rd);
    }

    private static long sign(Insn insn) {
        return insn.a == DOUBLE ? Long.MIN_VALUE : 1L << 31;
    }

    private void bits(Insn insn, int register) {
        code.lload(Locals.low(register));
        if (insn.a != DOUBLE) {
            emit.low();
        }
    }

    private void select(Insn insn) {
        Label first = code.newLabel();
        Label end = code.newLabel();
        flags.branchIf(insn.c, first);
        bits(insn, insn.rm);
        code.goto_(end);
        code.labelBinding(first);
        bits(insn, insn.rn);
        code.labelBinding(end);
    }

    private void compare(Insn insn, boolean withZero) {
        widened(insn, insn.rn);
        code.invokestatic(Names.USUAL, "number", DOUBLE_1);
        bitsOf(true);
        if (withZero) {
            code.lconst_0();
        } else {
            widened(insn, insn.rm);
            code.invokestatic(Names.USUAL, "number", DOUBLE_1);
            bitsOf(true);
        }
        code.lstore(Locals.FLAG_B).lstore(Locals.FLAG_A);
        flags.define(PendingFlags.FP);
    }

    /** Stack: ... -> ..., the register as a double. */
    private void widened(Insn insn, int register) {
        if (insn.a == DOUBLE) {
            toDouble(Locals.low(register));
        } else {
            toFloat(register);
            code.f2d();
        }
    }

    private void toDouble(int local) {
        code.lload(local).invokestatic(Names.DOUBLE, "longBitsToDouble", Names.DOUBLE_OF_LONG);
    }

    private void toFloat(int register) {
        code.lload(Locals.low(register)).l2i().invokestatic(Names.FLOAT, "intBitsToFloat", Names.FLOAT_OF_INT);
    }

    /** Stack: ..., double or float -> ..., its bits, zero extended. */
    private void bitsOf(boolean wide) {
        if (wide) {
            code.invokestatic(Names.DOUBLE, "doubleToRawLongBits", Names.LONG_OF_DOUBLE);
        } else {
            code.invokestatic(Names.FLOAT, "floatToRawIntBits", Names.INT_OF_FLOAT);
            emit.zeroExtend();
        }
    }

    private void operand(int register, boolean wide) {
        if (wide) {
            toDouble(Locals.low(register));
        } else {
            toFloat(register);
        }
    }

    private void negate(boolean wide) {
        if (wide) {
            code.dneg();
        } else {
            code.fneg();
        }
    }

    /** Stack: ..., operands -> ..., result. */
    private void usual(String method, int operands, boolean wide) {
        ClassDesc type = wide ? CD_double : CD_float;
        ClassDesc[] types = new ClassDesc[operands];
        java.util.Arrays.fill(types, type);
        code.invokestatic(Names.USUAL, method, MethodTypeDesc.of(type, types));
    }

    /** Stack: ..., a, b -> ..., a + b or a - b. */
    private void sum(boolean add, boolean wide) {
        if (wide && add) {
            code.dadd();
        } else if (wide) {
            code.dsub();
        } else if (add) {
            code.fadd();
        } else {
            code.fsub();
        }
        usual("sum", 1, wide);
    }

    /** Stack: ... -> ..., bits of the result. */
    private void arithmetic(Insn insn, String name) {
        boolean wide = insn.a == DOUBLE;
        operand(insn.rn, wide);
        switch (name) {
            case "FADD_float", "FSUB_float" -> {
                operand(insn.rm, wide);
                sum(name.equals("FADD_float"), wide);
            }
            case "FMUL_float", "FNMUL_float" -> {
                operand(insn.rm, wide);
                usual("product", 2, wide);
                if (name.equals("FNMUL_float")) {
                    negate(wide);
                }
            }
            case "FDIV_float" -> {
                operand(insn.rm, wide);
                usual("quotient", 2, wide);
            }
            case "FSQRT_float" -> usual("root", 1, wide);
            default -> {
                if (name.startsWith("FMSUB") || name.startsWith("FNMADD")) {
                    negate(wide);
                }
                operand(insn.rm, wide);
                operand(insn.ra, wide);
                if (name.startsWith("FN")) {
                    negate(wide);
                }
                usual("fused", 3, wide);
            }
        }
        bitsOf(wide);
    }

    /** A scale by a power of two is exact. */
    private void fromInteger(Insn insn, String name) {
        emit.get(insn.rn);
        boolean unsigned = name.startsWith("U");
        if (insn.b == 0 && unsigned) {
            emit.low();
        } else if (insn.b == 0) {
            code.l2i().i2l();
        } else if (unsigned) {
            // the upper half of the numbers is not Java's
            emit.get(insn.rn);
            code.loadConstant(63).lushr().l2i().iconst_1().ixor().invokestatic(Names.MISS, "unless", UNLESS);
        }
        if (insn.a == DOUBLE) {
            code.l2d();
        } else {
            code.l2f();
        }
        if (insn.c != 0 && insn.a == DOUBLE) {
            code.loadConstant(Math.scalb(1.0, -insn.c)).dmul();
        } else if (insn.c != 0) {
            code.loadConstant(Math.scalb(1.0f, -insn.c)).fmul();
        }
        bitsOf(insn.a == DOUBLE);
    }

    /** What saturates, or may have, is left to the semantics. The scale is exact, or the bounds rule its overflow out. */
    private void toInteger(Insn insn, String name) {
        widened(insn, insn.rn);
        if (insn.c != 0) {
            code.loadConstant(Math.scalb(1.0, insn.c)).dmul();
        }
        boolean unsigned = name.startsWith("FCVTZU");
        code.loadConstant(unsigned ? -1 : insn.b == 0 ? -0x1p31 - 1 : -0x1p63)
                .loadConstant(insn.b == 1 ? 0x1p63 : unsigned ? 0x1p32 : 0x1p31)
                .invokestatic(Names.USUAL, "integer", INTEGER);
        if (insn.b == 0) {
            emit.low();
        }
        emit.set(insn.rd);
    }

    private void vector(Insn insn, String name) {
        half(insn, name, 0);
        if (insn.b == 1) {
            half(insn, name, 2);
            code.lstore(Locals.high(insn.rd)).lstore(Locals.low(insn.rd));
        } else {
            emit.setLowHalf(insn.rd);
        }
    }

    /** Stack: ... -> ..., the half of the result whose locals are {@code high} above the low ones. */
    private void half(Insn insn, String name, int high) {
        int d = Locals.low(insn.rd) + high;
        int n = Locals.low(insn.rn) + high;
        int m = Locals.low(insn.rm) + high;
        if (insn.a != DOUBLE) {
            if (name.equals("FMLA_v")) {
                code.lload(d).lload(n).lload(m).invokestatic(Names.USUAL, "fmla2", HALF_OF_3);
            } else {
                code.lload(n).lload(m).invokestatic(Names.USUAL, name.substring(0, 4).toLowerCase() + "2",
                        Names.LONG_OF_LONGS_2);
            }
            return;
        }
        toDouble(n);
        toDouble(m);
        switch (name) {
            case "FADD_v", "FSUB_v" -> sum(name.equals("FADD_v"), true);
            case "FMUL_v" -> usual("product", 2, true);
            default -> {
                toDouble(d);
                usual("fused", 3, true);
            }
        }
        bitsOf(true);
    }
}
