package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import gunyah.arm64.state.CpuState;
import java.lang.classfile.CodeBuilder;

/** Writes the bytecode that all emitters of a region need: guest registers in locals, constants, state in memory. */
final class Emitter {
    static final long LOW = 0xFFFF_FFFFL;

    final CodeBuilder code;

    Emitter(CodeBuilder code) {
        this.code = code;
    }

    /** Stack: ... -> ..., value of general register {@code index} (an index of {@link CpuState#x}). */
    void get(int index) {
        if (index > CpuState.SP) {
            code.lconst_0();
        } else {
            code.lload(Locals.register(index));
        }
    }

    /** Stack: ..., value -> ... */
    void set(int index) {
        if (index > CpuState.SP) {
            code.pop2();
        } else {
            code.lstore(Locals.register(index));
        }
    }

    /** Stack: ..., value -> ...; only the low word of the value counts. */
    void setLow(int index) {
        low();
        set(index);
    }

    /** Stack: ..., long -> ..., its low word, zero extended. */
    void low() {
        code.loadConstant(LOW).land();
    }

    /** Stack: ..., int -> ..., it zero extended. */
    void zeroExtend() {
        code.i2l();
        low();
    }

    /** Stack: ... -> ..., the low word of a register. */
    void getInt(int index) {
        get(index);
        code.l2i();
    }

    /** Stack: ..., int -> ...; C2 drops the extension where only the low word is read. */
    void setInt(int index) {
        zeroExtend();
        set(index);
    }

    /** Stack: ... -> ..., the address of a slot of this page. */
    void address(int slot) {
        code.lload(Locals.PAGE_VA).loadConstant(slot * 4L).ladd();
    }

    /** Stack: ... -> ... Reads the registers of {@code mask} from memory into their locals; no index needs a check. */
    void load(long mask) {
        for (long left = mask; left != 0; left &= left - 1) {
            int index = Long.numberOfTrailingZeros(left);
            if (index < 32) {
                load(Locals.X, index, Locals.register(index));
            } else {
                load(Locals.V, 2 * (index - 32), Locals.low(index - 32));
                load(Locals.V, 2 * (index - 32) + 1, Locals.high(index - 32));
            }
        }
    }

    private void load(int array, int element, int local) {
        code.aload(array).loadConstant(element).invokestatic(Names.UNCHECKED_ARRAY, "get", Names.GET_ELEMENT)
                .lstore(local);
    }

    /** Stack: ... -> ... Writes the registers of {@code mask} from their locals to memory. */
    void store(long mask) {
        for (long left = mask; left != 0; left &= left - 1) {
            int index = Long.numberOfTrailingZeros(left);
            if (index < 32) {
                store(Locals.X, index, Locals.register(index));
            } else {
                store(Locals.V, 2 * (index - 32), Locals.low(index - 32));
                store(Locals.V, 2 * (index - 32) + 1, Locals.high(index - 32));
            }
        }
    }

    private void store(int array, int element, int local) {
        code.aload(array).loadConstant(element).lload(local)
                .invokestatic(Names.UNCHECKED_ARRAY, "set", Names.SET_ELEMENT);
    }

    /** Stack: ..., long -> ...; vector register {@code index} is this and a high half of zero. */
    void setLowHalf(int index) {
        code.lstore(Locals.low(index)).lconst_0().lstore(Locals.high(index));
    }

    /** Stack: ..., long -> ... Sets the PC in memory. */
    void setPc() {
        code.lstore(Locals.TEMP_1).aload(Locals.STATE).lload(Locals.TEMP_1).putfield(Names.STATE, "pc", CD_long);
    }

    /** Stack: ... -> ... Sets the retired count in memory to that of {@code done} instructions into this block. */
    void setRetired(int done) {
        code.aload(Locals.STATE).lload(Locals.RETIRED);
        if (done != 0) {
            code.loadConstant((long) done).ladd();
        }
        code.putfield(Names.STATE, "retired", CD_long);
    }

    /** Stack: ... -> ... The instruction of this slot may fault from here on. */
    void at(int slot) {
        code.loadConstant(slot).istore(Locals.AT);
    }

    /** Stack: ..., int -> ... Sets NZCV in memory. */
    void setNzcv() {
        code.istore(Locals.NZCV).aload(Locals.STATE).iload(Locals.NZCV).putfield(Names.STATE, "nzcv", CD_int);
    }
}
