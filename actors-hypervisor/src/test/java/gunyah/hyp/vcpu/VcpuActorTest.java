package gunyah.hyp.vcpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import akka.actor.testkit.typed.javadsl.TestInbox;
import gunyah.hyp.pcpu.HostCores;
import gunyah.hyp.pcpu.Pcpu;
import gunyah.hyp.pcpu.PcpuActor;
import gunyah.hyp.pcpu.PcpuActor.Reason;
import gunyah.hyp.timer.ManualAlarms;
import gunyah.hyp.timer.SystemCounter;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The protocol of a vCPU's actor: what a grant, its absence, an end and a failure do. The vCPU has no engine. */
class VcpuActorTest {
    private final String threadName = Thread.currentThread().getName();
    private final ManualAlarms clock = new ManualAlarms();
    private final TestInbox<PcpuActor.Command> scheduler = TestInbox.create();
    private final Pcpu cpu = new Pcpu(0);
    private final Machine machine = new Machine(List.of(cpu), new HostCores(2), clock, new SystemCounter(clock::now),
            5_000_000, null);
    private final Vcpu vcpu = new Vcpu(7, machine);
    private final BehaviorTestKit<VcpuActor.Command> actor =
            BehaviorTestKit.create(VcpuActor.create(vcpu, () -> { }));

    VcpuActorTest() {
        cpu.start(scheduler.getRef());
        machine.connect(null, started -> started.started(actor.getRef()), null, null);
        vcpu.retain();
    }

    /** The actor gives the thread that executes it the vCPU's name. */
    @AfterEach
    void giveTheNameBack() {
        Thread.currentThread().setName(threadName);
    }

    private PcpuActor.Release released() {
        return new PcpuActor.Release(vcpu.thread(), Reason.BLOCKED);
    }

    @Test
    void theFirstGrantStartsTheActorAndRunsItOnce() {
        vcpu.kill();

        vcpu.thread().grant(cpu);

        actor.selfInbox().expectMessage(VcpuActor.Run.INSTANCE);
        assertThat(actor.selfInbox().hasMessages()).isFalse();
    }

    @Test
    void withoutAGrantNothingRuns() {
        actor.run(VcpuActor.Run.INSTANCE);

        assertThat(scheduler.hasMessages()).isFalse();
        assertThat(vcpu.blocks().has(Block.FAULT)).isFalse();
    }

    @Test
    void aKilledVcpuGivesItsGrantBackOnceAndExecutesNothing() {
        vcpu.kill();
        vcpu.thread().grant(cpu);

        actor.runOne();
        actor.run(VcpuActor.Run.INSTANCE);

        scheduler.expectMessage(released());
        assertThat(scheduler.hasMessages()).isFalse();
        assertThat(vcpu.counters().runs).isZero();
    }

    @Test
    void aFailureHaltsTheVcpuAndGivesTheProcessorBackBeforeTheActorFails() {
        vcpu.thread().grant(cpu);

        // It has no timers: that is a failure of ours.
        assertThatThrownBy(actor::runOne).isInstanceOf(NullPointerException.class);

        scheduler.expectMessage(released());
        assertThat(vcpu.blocks().has(Block.FAULT)).isTrue();
        assertThat(vcpu.life().failure()).contains("NullPointerException");
        assertThat(vcpu.life().executing()).isFalse();
    }

    @Test
    void stopEndsTheActor() {
        actor.run(VcpuActor.Stop.INSTANCE);

        assertThat(actor.isAlive()).isFalse();
    }

    @Test
    void anActorThatComesAfterItsVcpuWentIsStoppedAndALateGrantGivenBack() {
        vcpu.thread().close();

        vcpu.started(actor.getRef());
        vcpu.thread().grant(cpu);

        actor.selfInbox().expectMessage(VcpuActor.Stop.INSTANCE);
        assertThat(actor.selfInbox().hasMessages()).isFalse();
        scheduler.expectMessage(released());
    }
}
