package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.sysreg.SystemRegisters;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.MethodTypeDesc;

/** Writes reads of the system registers that software keeps its pointers in: {@link SystemRegisters#pointerNumber}. */
final class PointerEmitter {
    private static final MethodTypeDesc POINTER = MethodTypeDesc.of(CD_long, CD_int);

    private final Emitter emit;
    private final CodeBuilder code;

    PointerEmitter(Emitter emit) {
        this.emit = emit;
        this.code = emit.code;
    }

    /** {@return whether {@link #emit} writes it} */
    static boolean handles(Insn insn) {
        return insn.op == Ops.CALL && insn.row.name().equals("MRS") && SystemRegisters.pointerNumber(insn.a) >= 0;
    }

    /** {@return false when the instruction is none of these} */
    boolean emit(Insn insn) {
        if (!handles(insn)) {
            return false;
        }
        code.aload(Locals.CPU).getfield(Names.CPU, "sys", Names.SYSTEM_REGISTERS)
                .loadConstant(SystemRegisters.pointerNumber(insn.a))
                .invokevirtual(Names.SYSTEM_REGISTERS, "pointer", POINTER);
        emit.set(insn.rd);
        return true;
    }
}
