package gunyah.hyp.addrspace;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.HypError;
import gunyah.hyp.ObjectBehavior;
import gunyah.hyp.ReplySlot;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;

/**
 * The writer of one address space: stage-2 table, VMMIO and PRIVATE ranges, device regions. What may be written has
 * been decided by the caller, who holds the memory lock; here it happens, one turn each, and stale translations are
 * called back. Never blocks; lives on the hypercall dispatcher.
 */
public final class AddrspaceActor {
    /** What an address space can be told. Replies carry an error and, first, the epoch to wait for (0 = none). */
    public sealed interface Command extends ObjectBehavior.Call {
    }

    /** Writes entries {@code bits | pa} for a page-aligned range. */
    public record Install(long ipa, long pa, long size, long bits, ReplySlot replyTo) implements Command {
    }

    /** Clears the entries of the range that point at the frames from {@code pa} on; others are somebody else's. */
    public record Remove(long ipa, long pa, long size, ReplySlot replyTo) implements Command {
    }

    /** Clears the LOCKED flag of the private pages of the range; their contents are zeroed at unmap unless kept. */
    public record Unlock(long ipa, long size, boolean keepContents, ReplySlot replyTo) implements Command {
    }

    /** Adds or removes a range: op 0/1 VMMIO, 2/3 PRIVATE. */
    public record ConfigureRange(long ipa, long size, int op, ReplySlot replyTo) implements Command {
    }

    /** Adds a device region. */
    public record AttachVdevice(VdeviceRegion region, ReplySlot replyTo) implements Command {
    }

    /** Ends the actor; nothing follows. */
    private enum Stop implements Command {
        INSTANCE;

        @Override
        public ReplySlot replyTo() {
            return null;
        }
    }

    private final Addrspace addrspace;
    private final Stage2Table table;

    private AddrspaceActor(Addrspace addrspace) {
        this.addrspace = addrspace;
        this.table = addrspace.stage2();
    }

    static Behavior<Command> create(Addrspace addrspace) {
        AddrspaceActor actor = new AddrspaceActor(addrspace);
        return ObjectBehavior.of(addrspace::broke, actor::onCommand);
    }

    static Command stop() {
        return Stop.INSTANCE;
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case Install install -> onInstall(install);
            case Remove remove -> onRemove(remove);
            case Unlock unlock -> onUnlock(unlock);
            case ConfigureRange range -> onConfigureRange(range);
            case AttachVdevice attach -> onAttachVdevice(attach);
            case Stop stop -> {
                return Behaviors.stopped();
            }
        }
        return Behaviors.same();
    }

    private void onInstall(Install install) {
        boolean stale = false;
        for (long at = 0; at < install.size(); at += PhysicalMemory.PAGE_SIZE) {
            long entry = install.bits() | install.pa() + at;
            long before = table.lookup(install.ipa() + at);
            if ((before & PageFlags.PRIVATE) != 0 && Stage2Table.pa(before) != Stage2Table.pa(entry)) {
                // somebody's record from before the private mapping: replaced, the page would never be zeroed
                continue;
            }
            table.set(install.ipa() + at, entry);
            stale |= losesRights(before, entry);
        }
        install.replyTo().reply(HypError.OK, recall(stale));
    }

    private void onRemove(Remove remove) {
        boolean stale = false;
        for (long at = 0; at < remove.size(); at += PhysicalMemory.PAGE_SIZE) {
            long before = table.lookup(remove.ipa() + at);
            if (Stage2Table.isValid(before) && Stage2Table.pa(before) == remove.pa() + at) {
                table.set(remove.ipa() + at, 0);
                stale = true;
            }
        }
        remove.replyTo().reply(HypError.OK, recall(stale));
    }

    private void onUnlock(Unlock unlock) {
        long kept = unlock.keepContents() ? PageFlags.KEEP_CONTENTS : 0;
        long end = unlock.ipa() + unlock.size();
        for (long at = table.skipUnmapped(unlock.ipa(), end); at < end;
                at = table.skipUnmapped(at + PhysicalMemory.PAGE_SIZE, end)) {
            long entry = table.lookup(at);
            if ((entry & PageFlags.PRIVATE) != 0) {
                table.set(at, entry & ~(PageFlags.LOCKED | PageFlags.KEEP_CONTENTS) | kept);
            }
        }
        unlock.replyTo().reply(HypError.OK);
    }

    private void onConfigureRange(ConfigureRange range) {
        IpaRanges ranges = addrspace.ranges();
        IpaRanges.Change change = switch (range.op()) {
            case 0 -> ranges.addVmmio(range.ipa(), range.size());
            case 1 -> ranges.removeVmmio(range.ipa(), range.size());
            case 2 -> ranges.addPrivate(range.ipa(), range.size());
            case 3 -> ranges.removePrivate(range.ipa(), range.size());
            default -> new IpaRanges.Change(HypError.ARGUMENT_INVALID, ranges);
        };
        addrspace.publish(change.ranges());
        range.replyTo().reply(change.error());
    }

    private void onAttachVdevice(AttachVdevice attach) {
        attach.replyTo().reply(addrspace.publish(attach.region()));
    }

    private static boolean losesRights(long before, long after) {
        if (!Stage2Table.isValid(before)) {
            return false;
        }
        return Stage2Table.pa(before) != Stage2Table.pa(after)
                || (Stage2Table.el1Access(before) & ~Stage2Table.el1Access(after)) != 0
                || (Stage2Table.el0Access(before) & ~Stage2Table.el0Access(after)) != 0
                || Stage2Table.memType(before) != Stage2Table.memType(after);
    }

    /** {@return the epoch the caller waits for, 0 when no translation became stale} */
    private long recall(boolean stale) {
        if (!stale) {
            return 0;
        }
        int epoch = table.bumpEpoch();
        addrspace.currentObservers().requestSync();
        return Integer.toUnsignedLong(epoch) | Addrspace.SYNC_NEEDED;
    }
}
