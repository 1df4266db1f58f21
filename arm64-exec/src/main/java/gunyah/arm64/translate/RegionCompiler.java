package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_MethodHandles;
import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_void;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.translate.RegionFlow.Block;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicConstantDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the class of one region: one method, guest registers and pending flags in locals. Registers are read at the
 * start and written back where the method is left, only those that may have changed on the way there. Entries and jumps
 * by register go through one switch. An instruction that leaves by exception, or cannot be done at once, comes to one
 * handler, which finds the slot in a local. Constants of the class are static fields: the JVM compiles the method before its first run, when nothing
 * that is resolved lazily is there.
 */
final class RegionCompiler {
    /** C2 needs 10 to 100 ms for such a method, seconds for one that is twice as large, and gives up on larger ones. */
    private static final int MAX_CODE_BYTES = 3_000;
    /** The same of long blocks: C2's time grows with their length only. */
    private static final int MAX_STRAIGHT_BYTES = 6_000;
    /** What any region has of them, about. */
    private static final int FIXED_BYTES = 200;
    /** What the names of the generated classes begin with; the JVM adds to that of a hidden class. */
    static final String CLASS_NAME = RegionCompiler.class.getPackageName() + ".TranslatedRegion";
    private static final ClassDesc SELF = ClassDesc.of(CLASS_NAME);
    private static final DirectMethodHandleDesc CLASS_DATA_AT = ConstantDescs.ofConstantBootstrap(CD_MethodHandles,
            "classDataAt", CD_Object, CD_int);

    /** What is known where a block starts. */
    private static final class Entry {
        /** {@link PendingFlags} kind; -1 while no way there is known. */
        int kind = -1;
        /** Registers whose local may differ from memory. */
        long dirty;
    }

    private record Constant(Object value, ClassDesc type) {
    }

    private final RegionFlow flow;
    private final Map<Integer, Entry> known = new HashMap<>();
    private final Map<Integer, Label> labels = new HashMap<>();
    private final List<Constant> data = new ArrayList<>();
    private long registers;
    private long written;
    private boolean hasVectors;
    /** What is dirty where a jump by register looks for its target in this region. */
    private long dirtyAtDispatch;
    private Emitter emit;
    private FlagsEmitter flags;
    private LookEmitter look;
    private MemoryEmitter memory;
    private IntegerEmitter integer;
    private PointerEmitter pointers;
    private VectorEmitter vector;
    private CodeBuilder code;
    private Label dispatch;
    /** Where ways out end: NZCV is computed. */
    private Label exit;
    /** Where rare ways out end. */
    private Label coldExit;
    /** Registers that may differ from memory at the instruction being written. */
    private long dirty;
    private Block block;
    private int copy;
    /** Of the loop being written; null when each access of it takes its own look. */
    private SharedLooks shared;
    /** By slot, where accesses take their own look instead of a shared one. */
    private final Map<Integer, Label> alone = new HashMap<>();

    private RegionCompiler(RegionFlow flow) {
        this.flow = flow;
    }

    /**
     * {@return the region as data} It has fewer instructions than it could when its method would get too
     * large for the JVM's compiler.
     *
     * @param page       decoded instructions by slot, null where there is none
     * @param jumpedFrom by slot, one more than the slot of a jump by register that often went there, 0 where none did
     * @param entry      slot of the first entry
     */
    static RegionCode compile(Insn[] page, short[] jumpedFrom, int entry) {
        RegionFlow flow = new RegionFlow(page, jumpedFrom, entry, RegionFlow.MAX_STRAIGHT);
        int most = MAX_STRAIGHT_BYTES;
        if (!flow.isStraight()) {
            flow = new RegionFlow(page, jumpedFrom, entry, RegionFlow.MAX_INSTRUCTIONS);
            most = MAX_CODE_BYTES;
        }
        RegionCompiler compiler = new RegionCompiler(flow);
        byte[] bytes = compiler.compile();
        while (codeBytes(bytes) > most && flow.size() > 1) {
            // to what fits by the average
            int fits = Math.clamp(flow.size() * (most - FIXED_BYTES) / (codeBytes(bytes) - FIXED_BYTES),
                    flow.size() / 2, flow.size() - 1);
            flow = new RegionFlow(page, jumpedFrom, entry, fits);
            compiler = new RegionCompiler(flow);
            bytes = compiler.compile();
        }
        int[] slots = flow.slots();
        int[] constants = compiler.data.stream().mapToInt(constant -> slotOf(page, slots, constant.value)).toArray();
        return new RegionCode(entry, flow.stride(), slots, flow.words(), flow.meanings(), flow.before(), flow.entries(),
                flow.called(), constants, codeBytes(bytes), bytes);
    }

    /** {@return the slot of an instruction, or the complement of one whose semantics these are} */
    private static int slotOf(Insn[] page, int[] slots, Object value) {
        for (int slot : slots) {
            if (page[slot] == value) {
                return slot;
            }
            if (page[slot].semantics == value) {
                return ~slot;
            }
        }
        throw new IllegalStateException("a constant that is not of the region: " + value);
    }

    private static int codeBytes(byte[] bytes) {
        return ClassFile.of().parse(bytes).methods().stream().filter(method -> method.methodName().equalsString("run"))
                .findFirst().flatMap(method -> method.findAttribute(Attributes.code())).orElseThrow().codeLength();
    }

    private byte[] compile() {
        analyse();
        return write();
    }

    /** {@return whether bytecode stands for the instruction, and not a call of its semantics} */
    static boolean isInline(Insn insn) {
        return insn.op != Ops.CALL_BRANCH && (insn.op != Ops.CALL || RareIntegerEmitter.handles(insn)
                || MemoryEmitter.handles(insn) || VectorEmitter.handles(insn) || PointerEmitter.handles(insn));
    }

    private static boolean isByRegister(Insn insn) {
        return insn.op == Ops.BR || insn.op == Ops.BLR;
    }

    /** Finds for each block which flags and dirty registers it starts with. */
    private void analyse() {
        for (Block each : flow.blocks()) {
            known.put(each.first(), new Entry());
            for (int slot = each.first(); slot <= each.last(); slot++) {
                Insn insn = flow.insn(slot);
                Effects effects = Effects.of(insn);
                if (!effects.isEverything()) {
                    registers |= effects.reads() | effects.writes();
                    written |= effects.writes();
                }
                hasVectors |= (insn.word >>> 25 & 7) == 7 || (insn.word >>> 25 & 7) == 6;
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
            Effects effects = Effects.of(insn);
            changedRegisters = dirtyAfter(insn, effects, changedRegisters);
            kind = effects.flags() == Effects.KEPT ? kind : effects.flags();
        }
        Insn last = flow.insn(each.last());
        boolean changed = false;
        if (RegionFlow.isDirectBranch(last) || last.op == Ops.BL) {
            changed = merge(each.last() + (int) last.imm, kind, changedRegisters);
        }
        if (last.op != Ops.B && !RegionFlow.isExit(last)) {
            changed |= merge(each.last() + 1, kind, changedRegisters);
        }
        if (isByRegister(last)) {
            dirtyAtDispatch |= changedRegisters;
            for (int entry : flow.entries()) {
                changed |= merge(entry, kind, dirtyAtDispatch);
            }
        }
        return changed;
    }

    private static long dirtyAfter(Insn insn, Effects effects, long before) {
        if (effects.isEverything()) {
            return 0;
        }
        return isInline(insn) ? before | effects.writes() : before & ~(effects.reads() | effects.writes());
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
        return ClassFile.of().build(SELF, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                    .withSuperclass(Names.REGION)
                    .withMethodBody("<init>", MethodTypeDesc.of(CD_void), 0, init -> init
                            .aload(0)
                            .invokespecial(Names.REGION, "<init>", MethodTypeDesc.of(CD_void))
                            .return_())
                    .withMethodBody("run", Names.RUN, ClassFile.ACC_PUBLIC, this::writeRun);
            writeConstants(type);
        });
    }

    private void writeConstants(ClassBuilder type) {
        for (int i = 0; i < data.size(); i++) {
            type.withField("c" + i, data.get(i).type, ClassFile.ACC_STATIC | ClassFile.ACC_FINAL);
        }
        type.withMethodBody("<clinit>", MethodTypeDesc.of(CD_void), ClassFile.ACC_STATIC, init -> {
            for (int i = 0; i < data.size(); i++) {
                init.ldc(DynamicConstantDesc.ofNamed(CLASS_DATA_AT, "_", data.get(i).type, i))
                        .putstatic(SELF, "c" + i, data.get(i).type);
            }
            init.return_();
        });
    }

    private void writeRun(CodeBuilder builder) {
        code = builder;
        emit = new Emitter(builder);
        flags = new FlagsEmitter(emit);
        look = new LookEmitter(emit);
        memory = new MemoryEmitter(emit, look);
        integer = new IntegerEmitter(emit, flags);
        pointers = new PointerEmitter(emit);
        vector = new VectorEmitter(emit, flags, look);
        dispatch = code.newLabel();
        exit = code.newLabel();
        coldExit = code.newLabel();
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
        writeExit();
        Label handler = code.newLabel();
        code.exceptionCatchAll(start, end, handler);
        code.labelBinding(handler);
        writeHandler();
    }

    private void prologue() {
        Label somewhere = code.newLabel();
        code.iload(Locals.SLOT).ifge(somewhere);
        // only C2 leaves it out: see Compilation
        code.iconst_1().newarray(TypeKind.LONG).pop();
        code.return_().labelBinding(somewhere);
        code.aload(Locals.CPU).getfield(Names.CPU, "s", Names.STATE).astore(Locals.STATE);
        if (hasVectors) {
            // the next instruction traps, or an earlier one of the region did not: for the interpreter to say
            Label usable = code.newLabel();
            code.aload(Locals.STATE).getfield(Names.STATE, "fpTrapped", ConstantDescs.CD_boolean).ifeq(usable).return_()
                    .labelBinding(usable);
            code.aload(Locals.CPU).getfield(Names.CPU, "v", Names.LONGS).astore(Locals.V);
            setUsual();
        }
        code.aload(Locals.CPU).getfield(Names.CPU, "x", Names.LONGS).astore(Locals.X);
        code.aload(Locals.CPU).getfield(Names.CPU, "mmu", Names.MMU).astore(Locals.MMU);
        code.aload(Locals.CPU).getfield(Names.CPU, "control", Names.CONTROL).astore(Locals.CONTROL);
        // once here, so that loops need not ask whether it is null
        code.aload(Locals.CONTROL).invokevirtual(Names.CONTROL, "peek", Names.INT).pop();
        setBank();
        code.aload(Locals.STATE).getfield(Names.STATE, "retired", CD_long).lstore(Locals.RETIRED);
        code.aload(Locals.STATE).getfield(Names.STATE, "nzcv", CD_int).istore(Locals.NZCV);
        code.iconst_0().istore(Locals.AT).iconst_0().istore(Locals.FLAG_KIND);
        code.lconst_0().lstore(Locals.FLAG_A).lconst_0().lstore(Locals.FLAG_B);
        code.lconst_0().lstore(Locals.FLAG_SUM);
        emit.load(registers);
        code.labelBinding(dispatch);
        Label nowhere = code.newLabel();
        List<SwitchCase> cases = new ArrayList<>();
        for (int entry : flow.entries()) {
            cases.add(SwitchCase.of(entry, labels.get(entry)));
        }
        code.iload(Locals.SLOT).lookupswitch(nowhere, cases).labelBinding(nowhere);
        code.lload(Locals.PAGE_VA).iload(Locals.SLOT).i2l().iconst_2().lshl().ladd().lstore(Locals.TEMP_2)
                .goto_(coldExit);
    }

    private void setUsual() {
        code.aload(Locals.STATE).invokestatic(Names.USUAL, "isUsual", Names.USUAL_OF_STATE).istore(Locals.USUAL);
    }

    private void setBank() {
        // its length, so that accesses need not ask whether it is null
        code.aload(Locals.MMU).invokevirtual(Names.MMU, "bank", Names.BANK).dup().arraylength().pop()
                .astore(Locals.TLB);
    }

    private void writeBlock(Block each) {
        block = each;
        Entry entry = known.get(each.first());
        flags.begin(entry.kind);
        dirty = entry.dirty;
        code.labelBinding(labels.get(each.first()));
        int copies = flow.copies(each);
        shared = flow.isShortLoop(each) ? new SharedLooks(flow, each, copies) : null;
        if (shared != null && shared.saved() == 0) {
            shared = null;
        }
        for (copy = 0; copy < copies - 1; copy++) {
            writeAllButLast(each, each.first());
            writeUnrolled(flow.insn(each.last()), each.last());
        }
        writeAllButLast(each, each.first());
        writeLast(each);
        if (shared != null) {
            writeAlone(each);
        }
    }

    /** The loop again, for where a page ends between accesses that share a look: each has its own. */
    private void writeAlone(Block each) {
        shared = null;
        flags.begin(PendingFlags.UNKNOWN);
        dirty = known.get(each.first()).dirty | written;
        writeAllButLast(each, alone.keySet().stream().mapToInt(slot -> slot).min().orElseThrow());
        writeLast(each);
        alone.clear();
    }

    private void writeLast(Block each) {
        int last = each.last();
        Insn insn = flow.insn(last);
        if (RegionFlow.isDirectBranch(insn)) {
            writeBranch(insn, last);
        } else if (insn.op == Ops.CALL_BRANCH) {
            writeCallBranch(insn, last);
        } else if (RegionFlow.isExit(insn)) {
            writeJump(insn, last);
        } else {
            writeStraight(last);
            goOn(last);
        }
    }

    private void writeAllButLast(Block each, int from) {
        for (int slot = from; slot < each.last(); slot++) {
            SharedLooks.Look one = shared == null ? null : shared.of(copy, slot);
            if (one != null) {
                look.share(one, one.first() ? alone.computeIfAbsent(slot, key -> code.newLabel()) : null);
            } else if (shared == null && alone.containsKey(slot)) {
                code.labelBinding(alone.get(slot));
            }
            writeStraight(slot);
            look.share(null, null);
        }
    }

    private void writeStraight(int slot) {
        Insn insn = flow.insn(slot);
        Effects effects = Effects.of(insn);
        if (!isInline(insn)) {
            if (effects.isEverything()) {
                callWithEverything(insn, slot);
            } else {
                callWithOperands(insn, slot, effects);
            }
        } else {
            if (Region.mayMiss(insn)) {
                emit.at(slot);
            }
            if (!integer.emit(insn, slot) && !memory.emit(insn, slot) && !vector.emit(insn) && !pointers.emit(insn)) {
                throw new IllegalStateException(insn.row.name() + " has no emitter for op " + insn.op);
            }
        }
        dirty = dirtyAfter(insn, effects, dirty);
    }

    /** The row's semantics, on the state in memory; locals follow. */
    private void callWithEverything(Insn insn, int slot) {
        callOnMemory(insn, slot);
        emit.load(registers);
        code.aload(Locals.STATE).getfield(Names.STATE, "nzcv", CD_int);
        flags.defineNzcv();
        setBank();
        if (hasVectors) {
            setUsual();
            Label usable = code.newLabel();
            code.aload(Locals.STATE).getfield(Names.STATE, "fpTrapped", ConstantDescs.CD_boolean).ifeq(usable);
            emit.address(slot + 1);
            emit.setPc();
            emit.setRetired(slot + 1 - block.first());
            code.return_().labelBinding(usable);
        }
    }

    private void callOnMemory(Insn insn, int slot) {
        emit.at(slot);
        emit.store(dirty);
        flags.nzcv();
        emit.setNzcv();
        emit.address(slot);
        emit.setPc();
        emit.setRetired(slot - block.first());
        execute(insn);
    }

    private void execute(Insn insn) {
        constant(insn.semantics, Names.SEMANTICS);
        code.aload(Locals.CPU);
        constant(insn, Names.INSN);
        code.invokeinterface(Names.SEMANTICS, "execute", Names.EXECUTE);
    }

    /** The row's semantics; only its operands go through memory. */
    private void callWithOperands(Insn insn, int slot, Effects effects) {
        String name = insn.row.name();
        emit.at(slot);
        emit.store(dirty & (effects.reads() | effects.writes()));
        if (effects.flags() != Effects.KEPT) {
            flags.nzcv();
            emit.setNzcv();
        }
        if (name.contains("lit") || name.equals("MRS")) {
            emit.address(slot);
            emit.setPc();
            emit.setRetired(slot - block.first());
        }
        execute(insn);
        emit.load(effects.writes());
        if (effects.flags() != Effects.KEPT) {
            code.aload(Locals.STATE).getfield(Names.STATE, "nzcv", CD_int);
            flags.defineNzcv();
        }
    }

    private void constant(Object value, ClassDesc type) {
        int index = 0;
        while (index < data.size() && data.get(index).value != value) {
            index++;
        }
        if (index == data.size()) {
            data.add(new Constant(value, type));
        }
        code.getstatic(SELF, "c" + index, type);
    }

    /** The semantics sets the PC itself. */
    private void writeCallBranch(Insn insn, int slot) {
        callOnMemory(insn, slot);
        emit.setRetired(slot - block.first() + 1);
        code.return_();
    }

    private void writeJump(Insn insn, int slot) {
        if (insn.op == Ops.BL) {
            emit.address(slot + 1);
            emit.set(30);
            dirty |= Effects.bit(30);
            jump(slot + (int) insn.imm, slot);
            return;
        }
        code.aload(Locals.MMU);
        emit.get(insn.rn);
        code.invokevirtual(Names.MMU, "branchAddress", Names.LONG_OF_LONG).lstore(Locals.TEMP_2);
        if (insn.op == Ops.BLR) {
            emit.address(slot + 1);
            emit.set(30);
            dirty |= Effects.bit(30);
        }
        Label elsewhere = code.newLabel();
        count(slot);
        // in this page, aligned, and nobody wants something: another entry of this region, perhaps
        code.lload(Locals.TEMP_2).lload(Locals.PAGE_VA).lsub().lstore(Locals.TEMP_3);
        code.lload(Locals.TEMP_3).loadConstant(-4093L).land().lconst_0().lcmp().ifne(elsewhere);
        code.aload(Locals.CONTROL).invokevirtual(Names.CONTROL, "peek", Names.INT).ifne(elsewhere);
        code.lload(Locals.RETIRED).lload(Locals.LIMIT).lcmp().ifge(elsewhere);
        code.lload(Locals.TEMP_3).l2i().iconst_2().iushr().istore(Locals.SLOT).goto_(dispatch);
        code.labelBinding(elsewhere);
        toExit();
    }

    private void writeBranch(Insn insn, int slot) {
        int target = slot + (int) insn.imm;
        if (insn.op == Ops.B) {
            jump(target, slot);
            return;
        }
        Label taken = code.newLabel();
        branchIf(insn, taken);
        goOn(slot);
        code.labelBinding(taken);
        jump(target, slot);
    }

    /** The branch at the end of a copy of a loop: on into the next copy, without a look about. */
    private void writeUnrolled(Insn insn, int slot) {
        Label taken = code.newLabel();
        branchIf(insn, taken);
        goOn(slot);
        code.labelBinding(taken);
        count(slot);
    }

    private void branchIf(Insn insn, Label taken) {
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
        // the way back is a goto: a conditional one would keep its comparison for the JVM's safepoint
        code.lload(Locals.RETIRED).lload(Locals.LIMIT).lcmp().ifge(out).goto_(labels.get(target));
        code.labelBinding(out);
        emit.address(target);
        code.lstore(Locals.TEMP_2).goto_(coldExit);
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
        count(slot);
        emit.address(target);
        code.lstore(Locals.TEMP_2);
        toExit();
    }

    /** To the end of all ways out; the PC is in TEMP_2 and the count is done. */
    private void toExit() {
        flags.nzcv();
        code.istore(Locals.NZCV).goto_(exit);
    }

    /** One for all: C2's time for a method grows with the stores in it. */
    private void writeExit() {
        code.labelBinding(coldExit);
        flags.begin(PendingFlags.UNKNOWN);
        flags.nzcv();
        code.istore(Locals.NZCV);
        code.labelBinding(exit);
        emit.store(written);
        code.aload(Locals.STATE).iload(Locals.NZCV).putfield(Names.STATE, "nzcv", CD_int);
        code.lload(Locals.TEMP_2);
        emit.setPc();
        emit.setRetired(0);
        code.return_();
    }

    /** Stack: exception, or the miss. The instruction has changed nothing: state as before it. */
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
        Label exception = code.newLabel();
        code.dup().getstatic(Names.MISS, "MISS", Names.MISS).if_acmpne(exception).pop().return_()
                .labelBinding(exception).athrow();
    }
}
