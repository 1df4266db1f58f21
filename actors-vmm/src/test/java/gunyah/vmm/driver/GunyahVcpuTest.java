package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.hyp.HypError;
import gunyah.hyp.VcpuWork;
import gunyah.vmm.driver.FakeGunyah.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The RUN loop: every state vcpu_run can return, and how exits are resumed. */
class GunyahVcpuTest {
    private static final long UART = 0x0900_0000L;

    private final FakeHost host = new FakeHost();
    private final GunyahVm vm = host.vm();
    private final GunyahVcpu vcpu = vm.addVcpu(0);
    private final List<Integer> exits = new ArrayList<>();

    @BeforeEach
    void start() {
        FakeHost.get(vm.start());
        host.gunyah.takeCalls();
    }

    @AfterEach
    void shutDown() {
        host.close();
    }

    private void returns(long state, long... data) {
        host.gunyah.answer(Hvc.VCPU_RUN, x -> {
            x[0] = 0;
            x[1] = state;
            x[2] = data.length > 0 ? data[0] : 0;
            x[3] = data.length > 1 ? data[1] : 0;
            x[4] = data.length > 2 ? data[2] : 0;
        });
    }

    /** Asks for RUN and lets the host CPU do it. */
    private CompletionStage<Void> run() {
        CompletionStage<Void> run = vcpu.run((v, page) -> {
            exits.add(page.exitReason());
            return ExitHandler.Next.STOP;
        });
        host.runCpu();
        return run;
    }

    private List<Call> runs() {
        return host.gunyah.takeCalls().stream().filter(call -> call.function() == Hvc.VCPU_RUN).toList();
    }

    private static Call runCall(long word1, long word2) {
        return Call.of(Hvc.VCPU_RUN, FakeRm.VCPU_CAP, word1, word2, 0, 0, 0, 0);
    }

    @Test
    void aVcpuOfAVmThatIsNotStartedIsNoDevice() {
        GunyahVm other = host.device().createVm("other");
        CompletionStage<Void> run = other.addVcpu(0).run((v, page) -> ExitHandler.Next.STOP);
        host.runCpu();

        assertThatThrownBy(() -> FakeHost.get(run)).hasMessageContaining("ENODEV");
    }

    @Test
    void immediateExitMakesNoHypercall() {
        vcpu.page().immediateExit(true);
        assertThatThrownBy(() -> FakeHost.get(run())).hasMessageContaining("EINTR");
        assertThat(runs()).isEmpty();

        vcpu.page().immediateExit(false);
        returns(4, UART, 4);
        FakeHost.get(run());
        assertThat(runs()).hasSize(1);
    }

    @Test
    void aLoadReturnsToTheClientAndItsAnswerGoesIntoTheResumeWord() {
        returns(0);
        returns(4, UART + 0x18, 2);
        FakeHost.get(run());
        assertThat(vcpu.page().exitReason()).isEqualTo(Uapi.EXIT_MMIO);
        assertThat(vcpu.page().address()).isEqualTo(UART + 0x18);
        assertThat(vcpu.page().mmioLength()).isEqualTo(2);
        assertThat(vcpu.page().mmioIsWrite()).isFalse();

        vcpu.page().mmioData(0xffff_ffff_1234_5678L);
        vcpu.page().bytes()[32] = (byte) 200;
        returns(4, UART, 4);
        FakeHost.get(run());

        assertThat(runs()).containsExactly(runCall(0, 0), runCall(0, 0), runCall(0x5678, 0));
    }

    @Test
    void aStoreIsMaskedToItsSize() {
        returns(5, UART, 1, 0x1234_5641L);
        FakeHost.get(run());

        assertThat(vcpu.page().mmioIsWrite()).isTrue();
        assertThat(vcpu.page().mmioData()).isEqualTo(0x41);
        returns(5, UART, 1, 0);
        FakeHost.get(run());
        assertThat(runs()).containsExactly(runCall(0, 0), runCall(0, 0));
    }

    @Test
    void faultAndRetryTravelUnderTheHypervisorsNumbers() {
        returns(4, UART, 4);
        FakeHost.get(run());
        vcpu.page().mmioResume(Uapi.RESUME_FAULT);
        returns(4, UART, 4);
        FakeHost.get(run());
        vcpu.page().mmioResume(Uapi.RESUME_RETRY);
        returns(4, UART, 4);
        FakeHost.get(run());

        assertThat(runs()).containsExactly(runCall(0, 0), runCall(0, 2), runCall(0, 1));
    }

    @Test
    void anUnknownResumeActionIsInvalidAndCanBeCorrected() {
        returns(4, UART, 4);
        FakeHost.get(run());
        vcpu.page().mmioResume(9);
        assertThatThrownBy(() -> FakeHost.get(run())).hasMessageContaining("EINVAL");

        vcpu.page().mmioResume(Uapi.RESUME_HANDLED);
        returns(4, UART, 4);
        FakeHost.get(run());

        assertThat(runs()).hasSize(2);
    }

    @Test
    void retryRepeatsTheSameResumeWords() {
        returns(4, UART, 4);
        FakeHost.get(run());
        vcpu.page().mmioData(0x77);
        host.gunyah.answer(Hvc.VCPU_RUN, x -> x[0] = HypError.RETRY.code());
        host.gunyah.answer(Hvc.VCPU_RUN, x -> x[0] = HypError.RETRY.code());
        returns(4, UART, 4);
        FakeHost.get(run());

        assertThat(runs()).containsExactly(runCall(0, 0), runCall(0x77, 0), runCall(0x77, 0), runCall(0x77, 0));
    }

    @Test
    void hypercallErrorsBecomeErrorNumbersAndTheVcpuCanGoOn() {
        for (HypError error : List.of(HypError.BUSY, HypError.CSPACE_CAP_REVOKED, HypError.OBJECT_STATE)) {
            host.gunyah.fail(Hvc.VCPU_RUN, error);
            assertThatThrownBy(() -> FakeHost.get(run()))
                    .hasMessageContaining(Errno.ofHypercall(error.code()).name());
        }
        returns(4, UART, 4);
        FakeHost.get(run());

        assertThat(exits).containsExactly(Uapi.EXIT_MMIO);
    }

    @Test
    void waitingForAnInterruptSleepsWithoutSpinningUntilTheWakeUp() {
        returns(1);
        CompletionStage<Void> run = run();
        assertThat(runs()).hasSize(1);
        assertThat(host.runOnce()).isEqualTo(VcpuWork.Result.IDLE);
        assertThat(runs()).isEmpty();

        returns(4, UART, 4);
        host.gunyah.raise(FakeRm.VCPU_INTID);
        host.runCpu();

        FakeHost.get(run);
        assertThat(runs()).hasSize(1);
    }

    @Test
    void aWakeUpJustBeforeTheSleepIsNotLost() {
        host.gunyah.answer(Hvc.VCPU_RUN, x -> {
            x[1] = 1;
            host.gunyah.raise(FakeRm.VCPU_INTID);
        });
        returns(4, UART, 4);

        FakeHost.get(run());

        assertThat(runs()).hasSize(2);
    }

    @Test
    void aVcpuThatIsOffLearnsOfTheEndOfItsVm() {
        returns(2);
        CompletionStage<Void> run = run();
        host.rm.exited(Uapi.EXIT_TYPE_PSCI_OFF);
        FakeHost.get(vm.exited());
        host.runCpu();
        FakeHost.get(run);

        assertThat(vcpu.page().exitReason()).isEqualTo(Uapi.EXIT_STATUS);
        assertThat(vcpu.page().status()).isEqualTo(Uapi.VM_STATUS_EXITED);
        assertThat(vcpu.page().exitType()).isEqualTo(Uapi.EXIT_TYPE_PSCI_OFF);
        FakeHost.get(run());
        assertThat(runs()).hasSize(1);
    }

    @Test
    void aFaultedOrResetVcpuSleepsUntilTheVmIsGone() {
        for (long state : new long[] {6, 0x100}) {
            returns(state);
        }
        CompletionStage<Void> run = run();
        assertThat(runs()).hasSize(1);

        host.rm.exited(Uapi.EXIT_TYPE_HYP_ERROR);
        FakeHost.get(vm.exited());
        host.runCpu();

        FakeHost.get(run);
        assertThat(exits).containsExactly(Uapi.EXIT_STATUS);
    }

    @Test
    void anUnknownStateIsSkipped() {
        returns(0x55);
        returns(3);
        returns(4, UART, 4);

        FakeHost.get(run());

        assertThat(runs()).hasSize(3);
    }

    @Test
    void aPageFaultInMemoryIsServedAndTheGuestGoesOn() {
        returns(7, 0x4000_2000L, 1);
        returns(4, UART, 4);

        FakeHost.get(run());

        assertThat(host.gunyah.takeCalls()).extracting(Call::function).containsExactly(Hvc.VCPU_RUN,
                Hvc.MEMEXTENT_DONATE, Hvc.ADDRSPACE_MAP, Hvc.VCPU_RUN);
    }

    @Test
    void anMmioAccessToMemoryIsRepeated() {
        returns(5, 0x4000_2000L, 8, 1);
        returns(4, UART, 4);

        FakeHost.get(run());

        assertThat(runs()).containsExactly(runCall(0, 0), runCall(0, 1));
    }

    @Test
    void aPageFaultElsewhereReturnsAndCanBeInjected() {
        returns(7, 0x9000_0000L, 0);
        FakeHost.get(run());
        assertThat(vcpu.page().exitReason()).isEqualTo(Uapi.EXIT_PAGE_FAULT);
        assertThat(vcpu.page().faultAttempt()).isEqualTo(-2);

        returns(7, 0x9000_0000L, 0);
        FakeHost.get(run());
        vcpu.page().faultResume(Uapi.RESUME_FAULT);
        returns(4, UART, 4);
        FakeHost.get(run());

        assertThat(runs()).containsExactly(runCall(0, 0), runCall(0, 0), runCall(2, 0));
    }

    @Test
    void aStoreWithAHandlerStaysInTheDriver() {
        List<Long> events = new ArrayList<>();
        vm.addIoEventFd(0x8000, 4, 5, events::add);
        returns(5, 0x8000, 4, 5);
        returns(5, 0x8000, 4, 6);

        FakeHost.get(run());

        assertThat(events).containsExactly(5L);
        assertThat(vcpu.page().mmioData()).isEqualTo(6);
        assertThat(runs()).containsExactly(runCall(0, 0), runCall(0, 0));
    }

    @Test
    void aHandlerThatContinuesAnswersWithoutLeavingTheLoop() {
        returns(4, UART, 4);
        returns(4, UART, 4);
        returns(5, UART, 4, 9);
        CompletionStage<Void> run = vcpu.run((v, page) -> {
            page.mmioData(0x33);
            return page.mmioIsWrite() ? ExitHandler.Next.STOP : ExitHandler.Next.CONTINUE;
        });
        host.runCpu();
        FakeHost.get(run);

        assertThat(runs()).containsExactly(runCall(0, 0), runCall(0x33, 0), runCall(0x33, 0));
    }

    @Test
    void removingASleepingVcpuEndsItsRun() {
        returns(1);
        CompletionStage<Void> run = run();

        CompletionStage<Void> removed = vm.removeVcpu(0);
        host.runCpu();

        FakeHost.get(removed);
        assertThatThrownBy(() -> FakeHost.get(run)).hasMessageContaining("EINTR");
        assertThatThrownBy(() -> FakeHost.get(run())).hasMessageContaining("ENODEV");
    }

    @Test
    void aBlockingRunReturnsWithTheExitInThePage() throws Exception {
        returns(4, UART, 4);
        Thread client = Thread.ofPlatform().name("client").start(vcpu::run);
        while (client.isAlive()) {
            host.runCpu();
            client.join(1);
        }

        assertThat(vcpu.page().exitReason()).isEqualTo(Uapi.EXIT_MMIO);
    }

    @Test
    void aDefectInAHandlerEndsTheRunAndNotTheCpu() {
        returns(4, UART, 4);
        CompletionStage<Void> run = vcpu.run((v, page) -> {
            throw new IllegalStateException("handler");
        });
        host.runCpu();

        assertThatThrownBy(() -> FakeHost.get(run)).hasMessageContaining("handler");
        assertThat(host.runOnce()).isEqualTo(VcpuWork.Result.IDLE);
    }
}
