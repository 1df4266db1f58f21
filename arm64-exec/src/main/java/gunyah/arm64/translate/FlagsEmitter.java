package gunyah.arm64.translate;

import static gunyah.arm64.translate.PendingFlags.ADC_64;
import static gunyah.arm64.translate.PendingFlags.ADD_32;
import static gunyah.arm64.translate.PendingFlags.ADD_64;
import static gunyah.arm64.translate.PendingFlags.FP;
import static gunyah.arm64.translate.PendingFlags.LOGICAL_32;
import static gunyah.arm64.translate.PendingFlags.LOGICAL_64;
import static gunyah.arm64.translate.PendingFlags.NZCV;
import static gunyah.arm64.translate.PendingFlags.SUB_32;
import static gunyah.arm64.translate.PendingFlags.SUB_64;

import gunyah.arm64.semantics.Flags;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes flags and conditions. Instructions leave their operands in locals; a condition becomes a comparison of those
 * when the kind is known where it is asked.
 */
final class FlagsEmitter {
    private static final int EQ = 0;
    /** Condition number: carry set. */
    static final int HS = 2;
    private static final int MI = 4;
    private static final int HI = 8;
    private static final int GE = 10;
    private static final int GT = 12;
    private static final int AL = 14;

    private final Emitter emit;
    private final CodeBuilder code;
    /** What is known of the pending flags here. */
    private int kind;

    FlagsEmitter(Emitter emit) {
        this.emit = emit;
        this.code = emit.code;
    }

    void begin(int kindHere) {
        kind = kindHere;
    }

    int kind() {
        return kind;
    }

    /** Stack: ... -> ... The flags are now of this kind; the operands have been stored. */
    void define(int newKind) {
        kind = newKind;
        code.loadConstant(newKind).istore(Locals.FLAG_KIND);
    }

    /** Stack: ... -> ..., the sum or difference of the operands that are stored, as a register's value. */
    void result(int ofKind) {
        switch (ofKind) {
            case ADD_64 -> code.lload(Locals.FLAG_A).lload(Locals.FLAG_B).ladd();
            case SUB_64 -> code.lload(Locals.FLAG_A).lload(Locals.FLAG_B).lsub();
            case ADD_32 -> {
                code.lload(Locals.FLAG_A).l2i().lload(Locals.FLAG_B).l2i().iadd();
                emit.zeroExtend();
            }
            default -> {
                code.lload(Locals.FLAG_A).l2i().lload(Locals.FLAG_B).l2i().isub();
                emit.zeroExtend();
            }
        }
    }

    /** Stack: ..., nzcv -> ... */
    void defineNzcv() {
        code.istore(Locals.NZCV);
        define(NZCV);
    }

    /** Stack: ... -> ..., NZCV as an int. */
    void nzcv() {
        switch (kind) {
            case NZCV -> code.iload(Locals.NZCV);
            case ADD_64 -> binary64("add64", true);
            case SUB_64 -> binary64("sub64", false);
            case ADD_32 -> binary32("add32", true);
            case SUB_32 -> binary32("sub32", false);
            case LOGICAL_64 -> code.lload(Locals.FLAG_A)
                    .invokestatic(Names.FLAGS, "logical64", Names.INT_OF_LONG);
            case LOGICAL_32 -> code.lload(Locals.FLAG_A).l2i()
                    .invokestatic(Names.FLAGS, "logical32", Names.INT_OF_INT);
            case ADC_64 -> ofSum("adc64", Names.INT_OF_LONGS_3);
            case FP -> {
                doubles();
                code.invokestatic(Names.PENDING, "compared", Names.COMPARED);
            }
            default -> code.iload(Locals.FLAG_KIND).iload(Locals.NZCV).lload(Locals.FLAG_A).lload(Locals.FLAG_B)
                    .invokestatic(Names.PENDING, "nzcv", Names.NZCV);
        }
    }

    /** Stack: ... -> ..., C as the long 0 or 1. */
    void carry() {
        switch (kind) {
            case ADD_64 -> code.lload(Locals.FLAG_A).lload(Locals.FLAG_B)
                    .invokestatic(Names.FLAGS, "addCarry64", Names.LONG_OF_LONGS_2);
            case SUB_64 -> code.lload(Locals.FLAG_A).lload(Locals.FLAG_B)
                    .invokestatic(Names.FLAGS, "subCarry64", Names.LONG_OF_LONGS_2);
            case ADC_64 -> ofSum("adcCarry64", Names.LONG_OF_LONGS_3);
            case ADD_32 -> {
                wide(Locals.FLAG_A);
                wide(Locals.FLAG_B);
                code.ladd().loadConstant(32).lushr();
            }
            case SUB_32 -> {
                wide(Locals.FLAG_A);
                wide(Locals.FLAG_B);
                code.lsub().loadConstant(63).lushr().lconst_1().lxor();
            }
            default -> {
                nzcv();
                code.loadConstant(29).iushr().iconst_1().iand().i2l();
            }
        }
    }

    private void ofSum(String method, MethodTypeDesc type) {
        code.lload(Locals.FLAG_A).lload(Locals.FLAG_B).lload(Locals.FLAG_SUM).invokestatic(Names.FLAGS, method, type);
    }

    private void wide(int local) {
        code.lload(local);
        emit.low();
    }

    private void doubles() {
        code.lload(Locals.FLAG_A).invokestatic(Names.DOUBLE, "longBitsToDouble", Names.DOUBLE_OF_LONG);
        code.lload(Locals.FLAG_B).invokestatic(Names.DOUBLE, "longBitsToDouble", Names.DOUBLE_OF_LONG);
    }

    /** Every condition is a comparison that is false, or one that is true, for unordered operands. */
    private void floating(int condition, boolean inverted, Label target) {
        switch (condition) {
            // dcmpg makes unordered 1, dcmpl -1
            case EQ -> floating(true, inverted ? 1 : 0, target);
            case HS -> floating(true, inverted ? 2 : 3, target);
            case MI -> floating(true, inverted ? 3 : 2, target);
            case HI -> floating(true, inverted ? 5 : 4, target);
            case GE -> floating(false, inverted ? 2 : 3, target);
            case GT -> floating(false, inverted ? 5 : 4, target);
            default -> generic(condition | (inverted ? 1 : 0), target);
        }
    }

    private void floating(boolean unorderedIsGreater, int test, Label target) {
        doubles();
        if (unorderedIsGreater) {
            code.dcmpg();
        } else {
            code.dcmpl();
        }
        ifInt(test, target);
    }

    private void binary64(String method, boolean add) {
        code.lload(Locals.FLAG_A).lload(Locals.FLAG_B).lload(Locals.FLAG_A).lload(Locals.FLAG_B);
        if (add) {
            code.ladd();
        } else {
            code.lsub();
        }
        code.invokestatic(Names.FLAGS, method, Names.INT_OF_LONGS_3);
    }

    private void binary32(String method, boolean add) {
        code.lload(Locals.FLAG_A).l2i().lload(Locals.FLAG_B).l2i();
        code.lload(Locals.FLAG_A).l2i().lload(Locals.FLAG_B).l2i();
        if (add) {
            code.iadd();
        } else {
            code.isub();
        }
        code.invokestatic(Names.FLAGS, method, Names.INT_OF_INTS_3);
    }

    /** Stack: ... -> ... Goes to {@code target} if the condition 0..15 holds, and on if not. */
    void branchIf(int condition, Label target) {
        if (condition >= AL) {
            code.goto_(target);
            return;
        }
        boolean inverted = (condition & 1) != 0;
        switch (kind) {
            case SUB_64, SUB_32 -> compare(condition & ~1, inverted, target);
            case LOGICAL_64, LOGICAL_32 -> logical(condition & ~1, inverted, target);
            case ADD_64, ADD_32, ADC_64 -> sum(condition, target);
            case FP -> floating(condition & ~1, inverted, target);
            default -> generic(condition, target);
        }
    }

    private void generic(int condition, Label target) {
        code.loadConstant(Flags.set(condition));
        nzcv();
        code.invokestatic(Names.FLAGS, "holds", Names.HOLDS).ifne(target);
    }

    private void compare(int condition, boolean inverted, Label target) {
        boolean wide = kind == SUB_64;
        switch (condition) {
            case EQ -> {
                operands(wide, false);
                ifCompared(wide, inverted ? 1 : 0, target);
            }
            case MI -> {
                if (wide) {
                    code.lload(Locals.FLAG_A).lload(Locals.FLAG_B).lsub().lconst_0().lcmp();
                } else {
                    code.lload(Locals.FLAG_A).l2i().lload(Locals.FLAG_B).l2i().isub();
                }
                ifInt(inverted ? 3 : 2, target);
            }
            case HS -> {
                operands(wide, true);
                ifCompared(wide, inverted ? 2 : 3, target);
            }
            case HI -> {
                operands(wide, true);
                ifCompared(wide, inverted ? 5 : 4, target);
            }
            case GE -> {
                operands(wide, false);
                ifCompared(wide, inverted ? 2 : 3, target);
            }
            case GT -> {
                operands(wide, false);
                ifCompared(wide, inverted ? 5 : 4, target);
            }
            default -> generic(condition | (inverted ? 1 : 0), target);
        }
    }

    private void operands(boolean wide, boolean unsigned) {
        operand(Locals.FLAG_A, wide, unsigned);
        operand(Locals.FLAG_B, wide, unsigned);
    }

    /** An unsigned comparison is a signed one with the top bits turned over. */
    private void operand(int local, boolean wide, boolean unsigned) {
        code.lload(local);
        if (!wide) {
            code.l2i();
            if (unsigned) {
                code.loadConstant(Integer.MIN_VALUE).iadd();
            }
        } else if (unsigned) {
            code.loadConstant(Long.MIN_VALUE).ladd();
        }
    }

    /** @param test 0 equal, 1 not, 2 less, 3 not less, 4 greater, 5 not greater */
    private void ifCompared(boolean wide, int test, Label target) {
        if (wide) {
            code.lcmp();
            ifInt(test, target);
            return;
        }
        switch (test) {
            case 0 -> code.if_icmpeq(target);
            case 1 -> code.if_icmpne(target);
            case 2 -> code.if_icmplt(target);
            case 3 -> code.if_icmpge(target);
            case 4 -> code.if_icmpgt(target);
            default -> code.if_icmple(target);
        }
    }

    private void ifInt(int test, Label target) {
        switch (test) {
            case 0 -> code.ifeq(target);
            case 1 -> code.ifne(target);
            case 2 -> code.iflt(target);
            case 3 -> code.ifge(target);
            case 4 -> code.ifgt(target);
            default -> code.ifle(target);
        }
    }

    /** C and V are clear. */
    private void logical(int condition, boolean inverted, Label target) {
        int test = switch (condition) {
            case EQ -> 0;
            case MI -> 2;
            case GE -> 3;
            case GT -> 4;
            default -> -1;
        };
        if (test < 0) {
            // HS, VS and HI never hold
            if (inverted) {
                code.goto_(target);
            }
            return;
        }
        code.lload(Locals.FLAG_A);
        if (kind == LOGICAL_64) {
            code.lconst_0().lcmp();
        } else {
            code.l2i();
        }
        ifInt(test ^ (inverted ? 1 : 0), target);
    }

    private void sum(int condition, Label target) {
        if ((condition & ~1) == HS) {
            carry();
            code.l2i();
            ifInt(condition == HS ? 1 : 0, target);
            return;
        }
        int test = switch (condition) {
            case EQ -> 0;
            case EQ + 1 -> 1;
            case MI -> 2;
            case MI + 1 -> 3;
            default -> -1;
        };
        if (test < 0) {
            generic(condition, target);
        } else if (kind == ADC_64) {
            code.lload(Locals.FLAG_SUM).lconst_0().lcmp();
            ifInt(test, target);
        } else if (kind == ADD_64) {
            code.lload(Locals.FLAG_A).lload(Locals.FLAG_B).ladd().lconst_0().lcmp();
            ifInt(test, target);
        } else {
            code.lload(Locals.FLAG_A).l2i().lload(Locals.FLAG_B).l2i().iadd();
            ifInt(test, target);
        }
    }
}
