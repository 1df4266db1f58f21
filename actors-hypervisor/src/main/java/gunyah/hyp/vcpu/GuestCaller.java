package gunyah.hyp.vcpu;

import gunyah.arm64.Cpu;
import gunyah.arm64.state.Abort;
import gunyah.hyp.Caller;
import gunyah.hyp.HypError;
import gunyah.hyp.ThreadObject;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;

/**
 * A vCPU that executes A64 code as the maker of a hypercall: its virtual addresses go through its own stage 1 and
 * stage 2 with EL1 rights (Gunyah hyp/mem/useraccess).
 */
final class GuestCaller implements Caller {
    private static final long OFFSET = PhysicalMemory.PAGE_SIZE - 1;
    private static final long PAR_PAGE = 0x0000_FFFF_FFFF_F000L;

    private final Vcpu vcpu;
    private final Cpu cpu;

    GuestCaller(Vcpu vcpu, Cpu cpu) {
        this.vcpu = vcpu;
        this.cpu = cpu;
    }

    @Override
    public CSpace cspace() {
        return vcpu.cspace();
    }

    @Override
    public Addrspace addrspace() {
        return vcpu.addrspace();
    }

    @Override
    public ThreadObject thread() {
        return vcpu;
    }

    @Override
    public HypError copyIn(long va, byte[] target, int length) {
        return copy(va, target, length, false);
    }

    @Override
    public HypError copyOut(long va, byte[] source, int length) {
        return copy(va, source, length, true);
    }

    private HypError copy(long va, byte[] bytes, int length, boolean toGuest) {
        if (Long.compareUnsigned(va + length, va) < 0) {
            return HypError.ADDR_OVERFLOW;
        }
        HypError error = HypError.OK;
        for (int at = 0; at < length && error == HypError.OK; at += pagePart(va + at, length - at)) {
            error = check(va + at, toGuest ? Access.W : Access.R);
        }
        for (int at = 0; at < length && error == HypError.OK;) {
            int part = pagePart(va + at, length - at);
            error = copyPage(va + at, bytes, at, part, toGuest);
            at += part;
        }
        return error;
    }

    private static int pagePart(long va, int left) {
        return (int) Math.min(left, PhysicalMemory.PAGE_SIZE - (va & OFFSET));
    }

    private HypError check(long va, int access) {
        long host = cpu.mmu.translateForOwner(va, access);
        if (host >= 0) {
            return HypError.OK;
        }
        return host == gunyah.arm64.mmu.Mmu.STAGE1_FAULT ? HypError.ARGUMENT_INVALID
                : host == gunyah.arm64.mmu.Mmu.STAGE2_PERMISSION ? HypError.DENIED : HypError.ADDR_INVALID;
    }

    /** By IPA through the view, so that an unmap waits for the copy. */
    private HypError copyPage(long va, byte[] bytes, int offset, int length, boolean toGuest) {
        long par;
        try {
            par = cpu.mmu.translateStage1(va, false, toGuest, false);
        } catch (Abort unmappedTables) {
            return HypError.ADDR_INVALID;
        }
        if ((par & 1) != 0) {
            return HypError.ARGUMENT_INVALID;
        }
        long ipa = par & PAR_PAGE | va & OFFSET;
        return toGuest ? addrspace().view().tryWrite(ipa, bytes, offset, length)
                : addrspace().view().tryRead(ipa, bytes, offset, length);
    }
}
