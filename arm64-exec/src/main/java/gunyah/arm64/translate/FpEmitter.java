package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_long;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes floating point by the JVM's arithmetic, where that gives result and flags: in the usual mode, and when the
 * result says so ({@link gunyah.arm64.fp.UsualFp}). Else the instruction takes the slow path, its semantics, which is
 * always right; nothing has changed by then.
 */
final class FpEmitter {
    private static final MethodTypeDesc IS_DOUBLE = MethodTypeDesc.of(CD_boolean, CD_double);
    private static final MethodTypeDesc IS_DOUBLE_2 = MethodTypeDesc.of(CD_boolean, CD_double, CD_double);
    private static final MethodTypeDesc IS_DOUBLE_3 = MethodTypeDesc.of(CD_boolean, CD_double, CD_double, CD_double);
    private static final MethodTypeDesc IS_FLOAT = MethodTypeDesc.of(CD_boolean, CD_float);
    private static final MethodTypeDesc IS_FLOAT_2 = MethodTypeDesc.of(CD_boolean, CD_float, CD_float);
    private static final MethodTypeDesc IS_FLOAT_3 = MethodTypeDesc.of(CD_boolean, CD_float, CD_float, CD_float);
    private static final MethodTypeDesc IS_HALF = MethodTypeDesc.of(CD_boolean, CD_long);
    private static final MethodTypeDesc IS_HALF_3 = MethodTypeDesc.of(CD_boolean, CD_long, CD_long, CD_long);
    private static final MethodTypeDesc HALF_OF_3 = MethodTypeDesc.of(CD_long, CD_long, CD_long, CD_long);
    private static final MethodTypeDesc DOUBLE_1 = MethodTypeDesc.of(CD_double, CD_double);
    private static final MethodTypeDesc DOUBLE_3 = MethodTypeDesc.of(CD_double, CD_double, CD_double, CD_double);
    private static final MethodTypeDesc FLOAT_3 = MethodTypeDesc.of(CD_float, CD_float, CD_float, CD_float);
    private static final int DOUBLE = 3;

    /** The semantics of an instruction, called from code that has locals for the registers. */
    interface SlowPath {
        /** Stack: ... -> ... Leaves the flags, if it makes any, as NZCV in their local. */
        void write(Insn insn, int slot);
    }

    private final Emitter emit;
    private final CodeBuilder code;
    private final FlagsEmitter flags;
    private final SlowPath slow;

    FpEmitter(Emitter emit, FlagsEmitter flags, SlowPath slow) {
        this.emit = emit;
        this.code = emit.code;
        this.flags = flags;
        this.slow = slow;
    }

    static boolean isCompare(Insn insn) {
        return insn.op == Ops.CALL && switch (insn.row.name()) {
            case "FCMP_float", "FCMPE_float", "FCMP_float_zero", "FCMPE_float_zero" -> true;
            default -> false;
        };
    }

    static boolean handles(Insn insn) {
        return isCompare(insn) || insn.op == Ops.CALL && switch (insn.row.name()) {
            case "FADD_float", "FSUB_float", "FMUL_float", "FNMUL_float", "FDIV_float", "FSQRT_float", "FMADD_float",
                    "FMSUB_float", "FNMADD_float", "FNMSUB_float", "FMOV_float", "FABS_float", "FNEG_float",
                    "FMOV_float_imm", "FCSEL_float", "FCVT_float_DS", "FCVT_float_SD", "SCVTF_float_int",
                    "UCVTF_float_int", "FCVTZS_float_int", "FCVTZU_float_int" -> true;
            case "FADD_v", "FSUB_v", "FMUL_v", "FMLA_v" -> insn.a == DOUBLE || insn.a == 2;
            default -> false;
        };
    }

    void emit(Insn insn, int slot) {
        String name = insn.row.name();
        if (isCompare(insn)) {
            compare(insn, slot);
            return;
        }
        switch (name) {
            case "FMOV_float" -> source(insn, insn.rn, () -> { });
            case "FABS_float" -> source(insn, insn.rn, () -> code.loadConstant(~sign(insn)).land());
            case "FNEG_float" -> source(insn, insn.rn, () -> code.loadConstant(sign(insn)).lxor());
            case "FMOV_float_imm" -> {
                code.loadConstant(insn.imm);
                emit.setLowHalf(insn.rd);
            }
            case "FCSEL_float" -> select(insn);
            default -> arithmetic(insn, slot, name);
        }
    }

    private static long sign(Insn insn) {
        return insn.a == DOUBLE ? Long.MIN_VALUE : 1L << 31;
    }

    private void source(Insn insn, int register, Runnable change) {
        bits(insn, register);
        change.run();
        emit.setLowHalf(insn.rd);
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
        emit.setLowHalf(insn.rd);
    }

    private void compare(Insn insn, int slot) {
        Label unordered = code.newLabel();
        Label end = code.newLabel();
        boolean zero = insn.row.name().endsWith("zero");
        code.iload(Locals.USUAL).ifeq(unordered);
        asDouble(insn, insn.rn);
        code.dstore(Locals.TEMP_1);
        if (zero) {
            code.dconst_0();
        } else {
            asDouble(insn, insn.rm);
        }
        code.dstore(Locals.TEMP_2);
        for (int local : new int[] {Locals.TEMP_1, Locals.TEMP_2}) {
            code.dload(local).dload(local).dcmpl().ifne(unordered);
        }
        code.dload(Locals.TEMP_1).invokestatic(Names.DOUBLE, "doubleToRawLongBits", Names.LONG_OF_DOUBLE)
                .lstore(Locals.FLAG_A);
        code.dload(Locals.TEMP_2).invokestatic(Names.DOUBLE, "doubleToRawLongBits", Names.LONG_OF_DOUBLE)
                .lstore(Locals.FLAG_B);
        code.goto_(end);
        code.labelBinding(unordered);
        slow.write(insn, slot);
        code.iload(Locals.NZCV).invokestatic(Names.PENDING, "comparing", Names.LONG_OF_INT).lstore(Locals.FLAG_A);
        code.lconst_0().lstore(Locals.FLAG_B);
        code.labelBinding(end);
        flags.define(PendingFlags.FP);
    }

    /** Stack: ... -> ..., double. */
    private void asDouble(Insn insn, int register) {
        if (insn.a == DOUBLE) {
            doubleOf(register);
        } else {
            floatOf(register);
            code.f2d();
        }
    }

    private void doubleOf(int register) {
        code.lload(Locals.low(register)).invokestatic(Names.DOUBLE, "longBitsToDouble", Names.DOUBLE_OF_LONG);
    }

    private void floatOf(int register) {
        code.lload(Locals.low(register)).l2i().invokestatic(Names.FLOAT, "intBitsToFloat", Names.FLOAT_OF_INT);
    }

    private void arithmetic(Insn insn, int slot, String name) {
        Label slowly = code.newLabel();
        Label end = code.newLabel();
        code.iload(Locals.USUAL).ifeq(slowly);
        if (name.endsWith("_v")) {
            vector(insn, name, slowly);
        } else if (name.startsWith("FCVT") || name.contains("CVTF_")) {
            convert(insn, name, slowly);
        } else if (insn.a == DOUBLE) {
            onDoubles(insn, name, slowly);
        } else {
            onFloats(insn, name, slowly);
        }
        code.goto_(end);
        code.labelBinding(slowly);
        slow.write(insn, slot);
        code.aload(Locals.STATE).invokestatic(Names.USUAL, "isUsual", Names.USUAL_OF_STATE).istore(Locals.USUAL);
        code.labelBinding(end);
    }

    /** Result to TEMP_3. */
    private void onDoubles(Insn insn, String name, Label slowly) {
        switch (name) {
            case "FADD_float", "FSUB_float" -> {
                doubleOf(insn.rn);
                doubleOf(insn.rm);
                if (name.startsWith("FADD")) {
                    code.dadd();
                } else {
                    code.dsub();
                }
                code.dstore(Locals.TEMP_3).dload(Locals.TEMP_3);
                code.invokestatic(Names.USUAL, "isSum", IS_DOUBLE).ifeq(slowly);
            }
            case "FMUL_float", "FNMUL_float" -> {
                doubleOf(insn.rn);
                doubleOf(insn.rm);
                code.dmul().dstore(Locals.TEMP_3);
                doubleOf(insn.rn);
                doubleOf(insn.rm);
                code.dload(Locals.TEMP_3).invokestatic(Names.USUAL, "isProduct", IS_DOUBLE_3).ifeq(slowly);
                if (name.startsWith("FN")) {
                    code.dload(Locals.TEMP_3).dneg().dstore(Locals.TEMP_3);
                }
            }
            case "FDIV_float" -> {
                doubleOf(insn.rn);
                doubleOf(insn.rm);
                code.ddiv().dstore(Locals.TEMP_3);
                doubleOf(insn.rn);
                code.dload(Locals.TEMP_3).invokestatic(Names.USUAL, "isQuotient", IS_DOUBLE_2).ifeq(slowly);
            }
            case "FSQRT_float" -> {
                doubleOf(insn.rn);
                code.invokestatic(Names.MATH, "sqrt", DOUBLE_1).dstore(Locals.TEMP_3);
                doubleOf(insn.rn);
                code.dload(Locals.TEMP_3).invokestatic(Names.USUAL, "isQuotient", IS_DOUBLE_2).ifeq(slowly);
            }
            default -> {
                doubleOf(insn.rn);
                if (negatesProduct(name)) {
                    code.dneg();
                }
                doubleOf(insn.rm);
                doubleOf(insn.ra);
                if (negatesAddend(name)) {
                    code.dneg();
                }
                code.invokestatic(Names.MATH, "fma", DOUBLE_3).dstore(Locals.TEMP_3).dload(Locals.TEMP_3);
                code.invokestatic(Names.USUAL, "isOrdinary", IS_DOUBLE).ifeq(slowly);
            }
        }
        code.dload(Locals.TEMP_3).invokestatic(Names.DOUBLE, "doubleToRawLongBits", Names.LONG_OF_DOUBLE);
        emit.setLowHalf(insn.rd);
    }

    private void onFloats(Insn insn, String name, Label slowly) {
        switch (name) {
            case "FADD_float", "FSUB_float" -> {
                floatOf(insn.rn);
                floatOf(insn.rm);
                if (name.startsWith("FADD")) {
                    code.fadd();
                } else {
                    code.fsub();
                }
                code.fstore(Locals.TEMP_3).fload(Locals.TEMP_3);
                code.invokestatic(Names.USUAL, "isSum", IS_FLOAT).ifeq(slowly);
            }
            case "FMUL_float", "FNMUL_float" -> {
                floatOf(insn.rn);
                floatOf(insn.rm);
                code.fmul().fstore(Locals.TEMP_3);
                floatOf(insn.rn);
                floatOf(insn.rm);
                code.fload(Locals.TEMP_3).invokestatic(Names.USUAL, "isProduct", IS_FLOAT_3).ifeq(slowly);
                if (name.startsWith("FN")) {
                    code.fload(Locals.TEMP_3).fneg().fstore(Locals.TEMP_3);
                }
            }
            case "FDIV_float" -> {
                floatOf(insn.rn);
                floatOf(insn.rm);
                code.fdiv().fstore(Locals.TEMP_3);
                floatOf(insn.rn);
                code.fload(Locals.TEMP_3).invokestatic(Names.USUAL, "isQuotient", IS_FLOAT_2).ifeq(slowly);
            }
            case "FSQRT_float" -> {
                // the double root of a single is never so near a tie that rounding twice matters
                floatOf(insn.rn);
                code.f2d().invokestatic(Names.MATH, "sqrt", DOUBLE_1).d2f().fstore(Locals.TEMP_3);
                floatOf(insn.rn);
                code.fload(Locals.TEMP_3).invokestatic(Names.USUAL, "isQuotient", IS_FLOAT_2).ifeq(slowly);
            }
            default -> {
                floatOf(insn.rn);
                if (negatesProduct(name)) {
                    code.fneg();
                }
                floatOf(insn.rm);
                floatOf(insn.ra);
                if (negatesAddend(name)) {
                    code.fneg();
                }
                code.invokestatic(Names.MATH, "fma", FLOAT_3).fstore(Locals.TEMP_3).fload(Locals.TEMP_3);
                code.invokestatic(Names.USUAL, "isOrdinary", IS_FLOAT).ifeq(slowly);
            }
        }
        code.fload(Locals.TEMP_3).invokestatic(Names.FLOAT, "floatToRawIntBits", Names.INT_OF_FLOAT);
        emit.zeroExtend();
        emit.setLowHalf(insn.rd);
    }

    private static boolean negatesProduct(String name) {
        return name.startsWith("FMSUB") || name.startsWith("FNMADD");
    }

    private static boolean negatesAddend(String name) {
        return name.startsWith("FNM");
    }

    private void convert(Insn insn, String name, Label slowly) {
        switch (name) {
            case "FCVT_float_DS" -> {
                floatOf(insn.rn);
                code.f2d().dstore(Locals.TEMP_3).dload(Locals.TEMP_3)
                        .invokestatic(Names.USUAL, "isSum", IS_DOUBLE).ifeq(slowly);
                code.dload(Locals.TEMP_3).invokestatic(Names.DOUBLE, "doubleToRawLongBits", Names.LONG_OF_DOUBLE);
                emit.setLowHalf(insn.rd);
            }
            case "FCVT_float_SD" -> {
                doubleOf(insn.rn);
                code.d2f().fstore(Locals.TEMP_3).fload(Locals.TEMP_3)
                        .invokestatic(Names.USUAL, "isOrdinary", IS_FLOAT).ifeq(slowly);
                code.fload(Locals.TEMP_3).invokestatic(Names.FLOAT, "floatToRawIntBits", Names.INT_OF_FLOAT);
                emit.zeroExtend();
                emit.setLowHalf(insn.rd);
            }
            case "SCVTF_float_int", "UCVTF_float_int" -> fromInteger(insn, name, slowly);
            default -> toInteger(insn, name, slowly);
        }
    }

    private void fromInteger(Insn insn, String name, Label slowly) {
        emit.get(insn.rn);
        if (insn.b == 0) {
            if (name.startsWith("U")) {
                emit.low();
            } else {
                code.l2i().i2l();
            }
        } else if (name.startsWith("U")) {
            code.lstore(Locals.TEMP_1).lload(Locals.TEMP_1).lconst_0().lcmp().iflt(slowly).lload(Locals.TEMP_1);
        }
        if (insn.a == DOUBLE) {
            code.l2d().invokestatic(Names.DOUBLE, "doubleToRawLongBits", Names.LONG_OF_DOUBLE);
        } else {
            code.l2f().invokestatic(Names.FLOAT, "floatToRawIntBits", Names.INT_OF_FLOAT);
            emit.zeroExtend();
        }
        emit.setLowHalf(insn.rd);
    }

    /** Java's conversion saturates like Arm's; what it saturates, or may have, is left to the semantics. */
    private void toInteger(Insn insn, String name, Label slowly) {
        asDouble(insn, insn.rn);
        code.dstore(Locals.TEMP_3);
        boolean unsigned = name.startsWith("FCVTZU");
        double low = unsigned ? -1 : insn.b == 0 ? -0x1p31 - 1 : -0x1p63;
        double high = insn.b == 1 ? 0x1p63 : unsigned ? 0x1p32 : 0x1p31;
        // the smallest long is left out, too
        code.dload(Locals.TEMP_3).loadConstant(low).dcmpl().ifle(slowly);
        code.dload(Locals.TEMP_3).loadConstant(high).dcmpg().ifge(slowly);
        code.dload(Locals.TEMP_3).d2l();
        if (insn.b == 0) {
            emit.low();
        }
        emit.set(insn.rd);
    }

    private void vector(Insn insn, String name, Label slowly) {
        int halves = insn.b + 1;
        for (int half = 0; half < halves; half++) {
            int high = 2 * half;
            // results wait in TEMP_3 and TEMP_4 until both are known to be usual
            int result = half == 0 ? Locals.TEMP_3 : Locals.TEMP_4;
            if (insn.a == DOUBLE) {
                doubleHalf(insn, name, high, result, slowly);
            } else {
                floatHalf(insn, name, high, result, slowly);
            }
        }
        code.lload(Locals.TEMP_3).lstore(Locals.low(insn.rd));
        if (halves == 2) {
            code.lload(Locals.TEMP_4).lstore(Locals.high(insn.rd));
        } else {
            code.lconst_0().lstore(Locals.high(insn.rd));
        }
    }

    private void doubleOfLocal(int local) {
        code.lload(local).invokestatic(Names.DOUBLE, "longBitsToDouble", Names.DOUBLE_OF_LONG);
    }

    private void doubleHalf(Insn insn, String name, int high, int result, Label slowly) {
        int n = Locals.low(insn.rn) + high;
        int m = Locals.low(insn.rm) + high;
        doubleOfLocal(n);
        doubleOfLocal(m);
        switch (name) {
            case "FADD_v", "FSUB_v" -> {
                if (name.startsWith("FADD")) {
                    code.dadd();
                } else {
                    code.dsub();
                }
                code.dstore(Locals.TEMP_1).dload(Locals.TEMP_1).invokestatic(Names.USUAL, "isSum", IS_DOUBLE)
                        .ifeq(slowly);
            }
            case "FMUL_v" -> {
                code.dmul().dstore(Locals.TEMP_1);
                doubleOfLocal(n);
                doubleOfLocal(m);
                code.dload(Locals.TEMP_1).invokestatic(Names.USUAL, "isProduct", IS_DOUBLE_3).ifeq(slowly);
            }
            default -> {
                doubleOfLocal(Locals.low(insn.rd) + high);
                code.invokestatic(Names.MATH, "fma", DOUBLE_3).dstore(Locals.TEMP_1).dload(Locals.TEMP_1)
                        .invokestatic(Names.USUAL, "isOrdinary", IS_DOUBLE).ifeq(slowly);
            }
        }
        code.dload(Locals.TEMP_1).invokestatic(Names.DOUBLE, "doubleToRawLongBits", Names.LONG_OF_DOUBLE)
                .lstore(result);
    }

    private void floatHalf(Insn insn, String name, int high, int result, Label slowly) {
        int n = Locals.low(insn.rn) + high;
        int m = Locals.low(insn.rm) + high;
        switch (name) {
            case "FADD_v", "FSUB_v" -> {
                code.lload(n).lload(m).invokestatic(Names.HALVES, name.startsWith("FADD") ? "fadd2" : "fsub2",
                        Names.LONG_OF_LONGS_2).lstore(result);
                code.lload(result).invokestatic(Names.HALVES, "sums2", IS_HALF).ifeq(slowly);
            }
            case "FMUL_v" -> {
                code.lload(n).lload(m).invokestatic(Names.HALVES, "fmul2", Names.LONG_OF_LONGS_2).lstore(result);
                code.lload(n).lload(m).lload(result).invokestatic(Names.HALVES, "products2", IS_HALF_3).ifeq(slowly);
            }
            default -> {
                code.lload(Locals.low(insn.rd) + high).lload(n).lload(m)
                        .invokestatic(Names.HALVES, "fmla2", HALF_OF_3).lstore(result);
                code.lload(result).invokestatic(Names.HALVES, "ordinary2", IS_HALF).ifeq(slowly);
            }
        }
    }
}
