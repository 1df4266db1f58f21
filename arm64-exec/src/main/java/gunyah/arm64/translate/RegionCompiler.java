package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_MethodHandles;
import static java.lang.constant.ConstantDescs.CD_Object;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.translate.RegionFlow.Block;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicConstantDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the class of one region: one method, guest registers and pending flags in locals. Registers are read at the
 * start and written back where the method is left, only those that may have changed on the way there. An instruction
 * that leaves by exception comes to one handler, which finds the slot in a local.
 */
final class RegionCompiler {
    private static final ClassDesc SELF = ClassDesc.of(RegionCompiler.class.getPackageName(), "TranslatedRegion");
    private static final DirectMethodHandleDesc CLASS_DATA_AT = ConstantDescs.ofConstantBootstrap(CD_MethodHandles,
            "classDataAt", CD_Object, CD_int);

    /** What is known where a block starts. */
    private static final class Entry {
        /** {@link PendingFlags} kind; -1 while no way there is known. */
        int kind = -1;
        /** Registers whose local may differ from memory. */
        long dirty;
    }

    private final RegionFlow flow;
    private final Map<Integer, Entry> known = new HashMap<>();
    private final Map<Integer, Label> labels = new HashMap<>();
    private final List<Object> data = new ArrayList<>();
    private long registers;
    private long written;
    private Emitter emit;
    private FlagsEmitter flags;
    private MemoryEmitter memory;
    private IntegerEmitter integer;
    private CodeBuilder code;
    /** Registers that may differ from memory at the instruction being written. */
    private long dirty;
    private Block block;

    private RegionCompiler(RegionFlow flow) {
        this.flow = flow;
    }

    /** {@return the region, loaded and described} */
    static Region compile(RegionFlow flow) {
        RegionCompiler compiler = new RegionCompiler(flow);
        compiler.analyse();
        byte[] bytes = compiler.write();
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup()
                    .defineHiddenClassWithClassData(bytes, List.copyOf(compiler.data), true);
            Region region = (Region) lookup.findConstructor(lookup.lookupClass(),
                    MethodType.methodType(void.class)).invoke();
            region.describe(flow);
            return region;
        } catch (Throwable e) {
            throw new IllegalStateException("region of " + flow + " does not load", e);
        }
    }

    private static boolean isInline(Insn insn) {
        return insn.op != Ops.CALL && insn.op != Ops.CALL_BRANCH;
    }

    /** Finds for each block which flags and dirty registers it starts with. */
    private void analyse() {
        for (Block each : flow.blocks()) {
            known.put(each.first(), new Entry());
            for (int slot = each.first(); slot <= each.last(); slot++) {
                Insn insn = flow.insn(slot);
                if (isInline(insn)) {
                    Effects effects = Effects.of(insn);
                    registers |= effects.reads() | effects.writes();
                    written |= effects.writes();
                }
            }
        }
        for (int entry : flow.entries()) {
            known.get(entry).kind = PendingFlags.NZCV;
        }
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Block each : flow.blocks()) {
                changed |= flowThrough(each);
            }
        }
    }

    private boolean flowThrough(Block each) {
        Entry start = known.get(each.first());
        if (start.kind < 0) {
            return false;
        }
        int kind = start.kind;
        long changedRegisters = start.dirty;
        for (int slot = each.first(); slot <= each.last(); slot++) {
            Insn insn = flow.insn(slot);
            if (!isInline(insn)) {
                kind = PendingFlags.NZCV;
                changedRegisters = 0;
                continue;
            }
            Effects effects = Effects.of(insn);
            changedRegisters |= effects.writes();
            kind = effects.flags() == Effects.KEPT ? kind : effects.flags();
        }
        Insn last = flow.insn(each.last());
        boolean changed = false;
        if (RegionFlow.isDirectBranch(last)) {
            changed = merge(each.last() + (int) last.imm, kind, changedRegisters);
        }
        if (last.op != Ops.B && !RegionFlow.isExit(last)) {
            changed |= merge(each.last() + 1, kind, changedRegisters);
        }
        return changed;
    }

    private boolean merge(int slot, int kind, long changedRegisters) {
        Entry entry = known.get(slot);
        if (entry == null) {
            return false;
        }
        int before = entry.kind;
        long dirtyBefore = entry.dirty;
        entry.kind = before < 0 || before == kind ? kind : PendingFlags.UNKNOWN;
        entry.dirty |= changedRegisters;
        return entry.kind != before || entry.dirty != dirtyBefore;
    }

    private byte[] write() {
        return ClassFile.of().build(SELF, type -> type
                .withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                .withSuperclass(Names.REGION)
                .withMethodBody("<init>", MethodTypeDesc.of(ConstantDescs.CD_void), 0, init -> init
                        .aload(0)
                        .invokespecial(Names.REGION, "<init>", MethodTypeDesc.of(ConstantDescs.CD_void))
                        .return_())
                .withMethodBody("run", Names.RUN, ClassFile.ACC_PUBLIC, this::writeRun));
    }

    private void writeRun(CodeBuilder builder) {
        code = builder;
        emit = new Emitter(builder);
        flags = new FlagsEmitter(emit);
        memory = new MemoryEmitter(emit);
        integer = new IntegerEmitter(emit, flags);
        for (Block each : flow.blocks()) {
            labels.put(each.first(), code.newLabel());
        }
        prologue();
        Label start = code.newLabel();
        Label end = code.newLabel();
        code.labelBinding(start);
        for (Block each : flow.blocks()) {
            if (known.get(each.first()).kind >= 0) {
                writeBlock(each);
            }
        }
        code.labelBinding(end);
        Label handler = code.newLabel();
        code.exceptionCatchAll(start, end, handler);
        code.labelBinding(handler);
        writeHandler();
    }

    private void prologue() {
        Label somewhere = code.newLabel();
        code.iload(Locals.SLOT).ifge(somewhere).return_().labelBinding(somewhere);
        code.aload(Locals.CPU).getfield(Names.CPU, "s", Names.STATE).astore(Locals.STATE);
        code.aload(Locals.CPU).getfield(Names.CPU, "x", Names.LONGS).astore(Locals.X);
        code.aload(Locals.CPU).getfield(Names.CPU, "mmu", Names.MMU).astore(Locals.MMU);
        code.aload(Locals.CPU).getfield(Names.CPU, "control", Names.CONTROL).astore(Locals.CONTROL);
        code.aload(Locals.STATE).getfield(Names.STATE, "retired", CD_long).lstore(Locals.RETIRED);
        code.aload(Locals.STATE).getfield(Names.STATE, "nzcv", CD_int).istore(Locals.NZCV);
        code.iconst_0().istore(Locals.AT).iconst_0().istore(Locals.FLAG_KIND);
        code.lconst_0().lstore(Locals.FLAG_A).lconst_0().lstore(Locals.FLAG_B);
        emit.load(registers);
        Label nowhere = code.newLabel();
        List<SwitchCase> cases = new ArrayList<>();
        for (int entry : flow.entries()) {
            cases.add(SwitchCase.of(entry, labels.get(entry)));
        }
        code.iload(Locals.SLOT).lookupswitch(nowhere, cases).labelBinding(nowhere).return_();
    }

    private void writeBlock(Block each) {
        block = each;
        Entry entry = known.get(each.first());
        flags.begin(entry.kind);
        dirty = entry.dirty;
        code.labelBinding(labels.get(each.first()));
        for (int slot = each.first(); slot < each.last(); slot++) {
            writeStraight(slot);
        }
        int last = each.last();
        Insn insn = flow.insn(last);
        if (RegionFlow.isDirectBranch(insn)) {
            writeBranch(insn, last);
        } else if (insn.op == Ops.CALL_BRANCH) {
            writeCallBranch(insn, last);
        } else if (RegionFlow.isExit(insn)) {
            writeJumpOut(insn, last);
        } else {
            writeStraight(last);
            goOn(last);
        }
    }

    private void writeStraight(int slot) {
        Insn insn = flow.insn(slot);
        if (insn.op == Ops.CALL) {
            call(insn, slot);
            emit.load(registers);
            code.aload(Locals.STATE).getfield(Names.STATE, "nzcv", CD_int);
            flags.defineNzcv();
            dirty = 0;
            return;
        }
        if (mayFault(insn)) {
            emit.at(slot);
        }
        if (!integer.emit(insn, slot) && !memory.emit(insn)) {
            throw new IllegalStateException(insn.row.name() + " has no emitter for op " + insn.op);
        }
        dirty |= Effects.of(insn).writes();
    }

    private static boolean mayFault(Insn insn) {
        return insn.op >= Ops.LDR_X && insn.op <= Ops.STP_X;
    }

    /** The row's semantics, on the state in memory. */
    private void call(Insn insn, int slot) {
        emit.at(slot);
        emit.store(dirty);
        flags.nzcv();
        emit.setNzcv();
        emit.address(slot);
        emit.setPc();
        emit.setRetired(slot - block.first());
        code.ldc(constant(insn.semantics, Names.SEMANTICS)).aload(Locals.CPU).ldc(constant(insn, Names.INSN))
                .invokeinterface(Names.SEMANTICS, "execute", Names.EXECUTE);
    }

    private DynamicConstantDesc<?> constant(Object value, ClassDesc type) {
        int index = data.indexOf(value);
        if (index < 0) {
            index = data.size();
            data.add(value);
        }
        return DynamicConstantDesc.ofNamed(CLASS_DATA_AT, "_", type, index);
    }

    /** The semantics sets the PC itself. */
    private void writeCallBranch(Insn insn, int slot) {
        call(insn, slot);
        emit.setRetired(slot - block.first() + 1);
        code.return_();
    }

    private void writeJumpOut(Insn insn, int slot) {
        if (insn.op == Ops.BL) {
            emit.address(slot + 1);
            emit.set(30);
            dirty |= Effects.bit(30);
            leave(slot + (int) insn.imm, slot);
            return;
        }
        code.aload(Locals.MMU);
        emit.get(insn.rn);
        code.invokevirtual(Names.MMU, "branchAddress", Names.LONG_OF_LONG);
        emit.setPc();
        if (insn.op == Ops.BLR) {
            emit.address(slot + 1);
            emit.set(30);
            dirty |= Effects.bit(30);
        }
        leave(slot);
    }

    private void writeBranch(Insn insn, int slot) {
        int target = slot + (int) insn.imm;
        if (insn.op == Ops.B) {
            jump(target, slot);
            return;
        }
        Label taken = code.newLabel();
        switch (insn.op) {
            case Ops.B_COND -> flags.branchIf(insn.bits(0, 4), taken);
            case Ops.CBZ_X, Ops.CBNZ_X -> {
                emit.get(insn.rn);
                code.lconst_0().lcmp();
                branchOnZero(insn.op == Ops.CBZ_X, taken);
            }
            case Ops.CBZ_W, Ops.CBNZ_W -> {
                emit.getInt(insn.rn);
                branchOnZero(insn.op == Ops.CBZ_W, taken);
            }
            default -> {
                emit.get(insn.rn);
                code.loadConstant(1L << insn.a).land().lconst_0().lcmp();
                branchOnZero(insn.op == Ops.TBZ, taken);
            }
        }
        goOn(slot);
        code.labelBinding(taken);
        jump(target, slot);
    }

    private void branchOnZero(boolean zero, Label target) {
        if (zero) {
            code.ifeq(target);
        } else {
            code.ifne(target);
        }
    }

    /** Behind the last instruction of the block. */
    private void goOn(int slot) {
        if (flow.covers(slot + 1)) {
            enter(slot + 1, slot);
        } else {
            leave(slot + 1, slot);
        }
    }

    private void jump(int target, int slot) {
        if (!flow.covers(target)) {
            leave(target, slot);
            return;
        }
        if (target > slot) {
            enter(target, slot);
            return;
        }
        Label out = code.newLabel();
        count(slot);
        code.aload(Locals.CONTROL).invokevirtual(Names.CONTROL, "peek", Names.INT).ifne(out);
        code.lload(Locals.RETIRED).lload(Locals.LIMIT).lcmp().iflt(labels.get(target));
        code.labelBinding(out);
        emit.address(target);
        emit.setPc();
        emit.setRetired(0);
        writeBack();
    }

    private void enter(int target, int slot) {
        count(slot);
        code.goto_(labels.get(target));
    }

    private void count(int slot) {
        code.lload(Locals.RETIRED).loadConstant(slot - block.first() + 1L).ladd().lstore(Locals.RETIRED);
    }

    /** Leaves for another place after the instruction of {@code slot}. */
    private void leave(int target, int slot) {
        emit.address(target);
        emit.setPc();
        leave(slot);
    }

    private void leave(int slot) {
        emit.setRetired(slot - block.first() + 1);
        writeBack();
    }

    private void writeBack() {
        emit.store(dirty);
        flags.nzcv();
        emit.setNzcv();
        code.return_();
    }

    /** Stack: exception. The instruction has changed nothing: state as before it. */
    private void writeHandler() {
        emit.store(written);
        flags.begin(PendingFlags.UNKNOWN);
        flags.nzcv();
        emit.setNzcv();
        code.lload(Locals.PAGE_VA).iload(Locals.AT).i2l().iconst_2().lshl().ladd();
        emit.setPc();
        code.aload(Locals.STATE).lload(Locals.RETIRED).aload(Locals.THIS).iload(Locals.AT)
                .invokevirtual(Names.REGION, "before", Names.INT_OF_INT).i2l().ladd()
                .putfield(Names.STATE, "retired", CD_long);
        code.athrow();
    }
}
