package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Semantics;
import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.semantics.Flags;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.VcpuControl;
import gunyah.memory.UncheckedArray;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/** The classes and method types that generated code names. */
final class Names {
    static final ClassDesc CPU = desc(Cpu.class);
    static final ClassDesc STATE = desc(CpuState.class);
    static final ClassDesc MMU = desc(Mmu.class);
    static final ClassDesc CONTROL = desc(VcpuControl.class);
    static final ClassDesc INSN = desc(Insn.class);
    static final ClassDesc SEMANTICS = desc(Semantics.class);
    static final ClassDesc REGION = desc(Region.class);
    static final ClassDesc FLAGS = desc(Flags.class);
    static final ClassDesc PENDING = desc(PendingFlags.class);
    static final ClassDesc UNCHECKED_ARRAY = desc(UncheckedArray.class);
    static final ClassDesc LONGS = CD_long.arrayType();
    static final ClassDesc MATH = desc(Math.class);
    static final ClassDesc LONG = desc(Long.class);
    static final ClassDesc INTEGER = desc(Integer.class);

    static final MethodTypeDesc INT_OF_LONGS_3 = MethodTypeDesc.of(CD_int, CD_long, CD_long, CD_long);
    static final MethodTypeDesc INT_OF_INTS_3 = MethodTypeDesc.of(CD_int, CD_int, CD_int, CD_int);
    static final MethodTypeDesc INT_OF_LONG = MethodTypeDesc.of(CD_int, CD_long);
    static final MethodTypeDesc INT_OF_INT = MethodTypeDesc.of(CD_int, CD_int);
    static final MethodTypeDesc INT = MethodTypeDesc.of(CD_int);
    static final MethodTypeDesc NZCV = MethodTypeDesc.of(CD_int, CD_int, CD_int, CD_long, CD_long);
    static final MethodTypeDesc HOLDS = MethodTypeDesc.of(CD_boolean, CD_int, CD_int);
    static final MethodTypeDesc LONG_OF_LONG = MethodTypeDesc.of(CD_long, CD_long);
    static final MethodTypeDesc LONG_OF_LONGS_2 = MethodTypeDesc.of(CD_long, CD_long, CD_long);
    static final MethodTypeDesc LONG_OF_LONG_INT = MethodTypeDesc.of(CD_long, CD_long, CD_int);
    static final MethodTypeDesc COMPARE_INTS = MethodTypeDesc.of(CD_int, CD_int, CD_int);
    static final MethodTypeDesc COMPARE_LONGS = MethodTypeDesc.of(CD_int, CD_long, CD_long);
    static final MethodTypeDesc WRITE_INT = MethodTypeDesc.of(CD_void, CD_long, CD_int);
    static final MethodTypeDesc WRITE_LONG = MethodTypeDesc.of(CD_void, CD_long, CD_long);
    static final MethodTypeDesc EXECUTE = MethodTypeDesc.of(CD_void, CPU, INSN);
    static final MethodTypeDesc RUN = MethodTypeDesc.of(CD_void, CPU, CD_long, CD_int, CD_long);
    static final MethodTypeDesc GET_ELEMENT = MethodTypeDesc.of(CD_long, LONGS, CD_int);
    static final MethodTypeDesc SET_ELEMENT = MethodTypeDesc.of(CD_void, LONGS, CD_int, CD_long);

    private Names() {
    }

    private static ClassDesc desc(Class<?> type) {
        return type.describeConstable().orElseThrow();
    }
}
