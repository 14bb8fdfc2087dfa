/** Generated from openapi.json; see README.md here. */
export interface paths {
    "/approval-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List requests for approval, the newest first
         * @description A gateway key sees its own.
         */
        get: operations["getApprovalRequests"];
        put?: never;
        /**
         * Ask for an approval
         * @description On a budget that requires one past a threshold. A gateway key has at most one open request for a budget.
         */
        post: operations["postApprovalRequests"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/approval-requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a request for approval */
        get: operations["getApprovalRequest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/approval-requests/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve a request
         * @description The approval is an adjustment of the budget, which acts at once and can be revoked.
         */
        post: operations["postApprovalRequestApprove"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/approval-requests/{id}/deny": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Deny a request */
        post: operations["postApprovalRequestDeny"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the audit log, newest first */
        get: operations["getAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read an entry of the audit log */
        get: operations["getAuditEntry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List budgets */
        get: operations["getBudgets"];
        put?: never;
        /** Create a budget */
        post: operations["postBudgets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/hierarchy/{type}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The budgets of a scope, and all below them
         * @description Each with its status: what is spent on a budget below is spent on it too, and what came in at the budget itself is told apart. Of more than 5,000 budgets ask in parts.
         */
        get: operations["getBudgetsHierarchy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/scope/{type}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the budgets of a scope */
        get: operations["getBudgetsScope"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a budget */
        get: operations["getBudget"];
        /** Change a budget */
        put: operations["putBudget"];
        post?: never;
        /**
         * Archive a budget
         * @description It applies no more; its usage is money and stays.
         */
        delete: operations["deleteBudget"];
        options?: never;
        head?: never;
        /** Change a budget by a JSON merge patch (RFC 7396) */
        patch: operations["patchBudget"];
        trace?: never;
    };
    "/budgets/{id}/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the accounts of a budget stand now, most spent first
         * @description Of a budget for each of many, one for each subject that had calls in the period; of another its one. Who spends while pages are read may come twice.
         */
        get: operations["getBudgetAccounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/adjustments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the adjustments of a budget, the newest first */
        get: operations["getBudgetAdjustments"];
        put?: never;
        /**
         * Add to the amount of a budget
         * @description increase: from a time to a time, in each period that it is in force in; top-up: to the running period. It acts at once on what holds are measured by.
         */
        post: operations["postBudgetAdjustments"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/adjustments/{adjustmentId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an adjustment
         * @description It ends now; of a transfer both sides do. One that has ended stays as it is.
         */
        delete: operations["deleteBudgetAdjustment"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/alerts/{threshold}/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Acknowledge an alert
         * @description Of a threshold that was crossed in the period of the status. Once it is acknowledged it stays so, by whom and when it first was.
         */
        post: operations["postBudgetAlertAcknowledge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/check-constraints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask whether a budget has room
         * @description What a hold would decide, for the budget and all above it, by the figures of the status. Nothing is held and nothing changes.
         */
        post: operations["postBudgetCheckConstraints"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/refresh-cache": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compare the status cache of a budget with its records, and heal it
         * @description Changes the cache alone: neither records nor accounts.
         */
        post: operations["postBudgetRefreshCache"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore an archived budget
         * @description Its parent must not be archived. One that is not archived stays as it is.
         */
        post: operations["postBudgetRestore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a budget stands now
         * @description Over all gateways, with the figures that the next hold finds. Of a budget for each of many without a subject: the sums over all of them, with `subjects`, their number; then what gateways lease counts as held.
         */
        get: operations["getBudgetStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/transfers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Transfer an amount to another budget
         * @description From the running period of this budget to that of another one of the same organization and currency: both or neither. What is spent or held here stays here.
         */
        post: operations["postBudgetTransfers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the usage history of a budget */
        get: operations["getBudgetUsage"];
        put?: never;
        /**
         * Record usage of a call made elsewhere, or take some back
         * @description It is charged to the budget and to all above it, each in its own currency by the rate in force at that time, whatever state they are in, and never refused for lack of money. With `reverses` it takes back what is named.
         */
        post: operations["postBudgetUsage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/budgets/{id}/usage/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sum up the usage of a budget
         * @description From sums that are kept by hour and by day, so that a year answers as fast as a day. A call counts in the hour in which it opened. Of the tags of one call the first 8 count, by name. At most 10,000 groups.
         */
        get: operations["getBudgetUsageSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/exchange-rates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List exchange rates
         * @description The latest first; the first that has begun is in force.
         */
        get: operations["getExchangeRates"];
        put?: never;
        /**
         * Add an exchange rate
         * @description It is in force from its moment on, until the next one of its currency. What was charged before keeps the rate that it was charged at. The same again changes nothing.
         */
        post: operations["postExchangeRates"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/exchange-rates/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add the exchange rates of a file
         * @description All of them or none; those that are there already stay.
         */
        post: operations["postExchangeRatesImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask what would become of a call
         * @description Which budgets apply to it, which candidates there are, how each account stands, and the verdict that the call would get now, with its code, message and remedy. Nothing is held and nothing changes.
         */
        post: operations["postExplain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gateways": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List gateways that do not answer and have leased something
         * @description Started again on its journal, a gateway settles what it left by itself.
         */
        get: operations["getGateways"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gateways/{id}/write-off": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give up a gateway that will not come back
         * @description What it had leased counts as spent. Should its journal turn up, that is taken back as far as it says otherwise.
         */
        post: operations["postGatewayWriteOff"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List holds */
        get: operations["getHolds"];
        put?: never;
        /**
         * Set an amount aside
         * @description On every budget that applies, or on none. It stays until it is settled or released; after its deadline it is charged at its amount, and a later settle or release corrects that.
         */
        post: operations["postHolds"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/holds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a hold */
        get: operations["getHold"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/holds/{id}/extend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a hold another deadline
         * @description Counted from now; sooner or later than before. Only while it is open.
         */
        post: operations["postHoldExtend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/holds/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Release a hold: nothing was spent
         * @description The same again changes nothing. After the deadline it takes back what was charged then, by a linked event.
         */
        post: operations["postHoldRelease"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/holds/{id}/settle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Settle a hold at what it cost
         * @description The cost replaces what is held on all of its budgets, in full also where it is more. The same again changes nothing. After the deadline it corrects what was charged then, by a linked event.
         */
        post: operations["postHoldSettle"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List gateway keys */
        get: operations["getKeys"];
        put?: never;
        /**
         * Make a gateway key
         * @description The answer alone shows its secret.
         */
        post: operations["postKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a gateway key */
        get: operations["getKey"];
        put?: never;
        post?: never;
        /** Revoke a gateway key, for good */
        delete: operations["deleteKey"];
        options?: never;
        head?: never;
        /** Change a gateway key */
        patch: operations["patchKey"];
        trace?: never;
    };
    "/keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a gateway key a new secret
         * @description The answer alone shows it. The secret before works until the overlap ends.
         */
        post: operations["postKeyRotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/prices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the prices that were added
         * @description Those over the catalog, the latest first.
         */
        get: operations["getPrices"];
        put?: never;
        /**
         * Add a price of a model
         * @description Over the catalog, for calls that open from its moment on, until the next one of the model; on all gateways within a second. A price of text replaces all of its prices of text. The same again changes nothing.
         */
        post: operations["postPrices"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List tokens of the admin API */
        get: operations["getTokens"];
        put?: never;
        /**
         * Make a token of the admin API
         * @description The answer alone shows its secret. A manager of an organization makes managers and viewers of it.
         */
        post: operations["postTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a token of the admin API */
        get: operations["getToken"];
        put?: never;
        post?: never;
        /**
         * Revoke a token of the admin API, for good
         * @description It ends here at once, and on every gateway within a second.
         */
        delete: operations["deleteToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/usage/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Record up to 1,000 usages: all of them or none
         * @description Each as by `POST /budgets/:id/usage`. An error names the record, e.g. `records/17/amount`.
         */
        post: operations["postUsageBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/usage/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a usage record */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A threshold that was crossed in a period. */
        ActiveAlert: {
            threshold: number | null;
            amount: string | null;
            /**
             * @description RFC 3339, in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            triggeredAt: string;
            /**
             * @example [
             *       "notify"
             *     ]
             */
            actions: string[];
            acknowledged: boolean;
            acknowledgedBy: string | null;
            acknowledgedAt: string | null;
        };
        /** @description In force from `from` on, until `to` or until it is revoked. */
        Adjustment: {
            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
            id: string;
            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
            budgetId: string;
            subject: string | null;
            /** @enum {unknown} */
            kind: "increase" | "top-up" | "transfer" | "approval";
            amount: string | null;
            /**
             * @description RFC 3339, in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            from: string;
            to: string | null;
            reason: string;
            counterpartBudgetId: string | null;
            /**
             * @description RFC 3339, in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            createdAt: string;
            createdBy: string;
            revokedAt: string | null;
            revokedBy: string | null;
        };
        AmountQuestion: {
            /**
             * @description at most 9,000,000,000, at most 9 decimals
             * @example 0.25
             */
            estimatedCost: string | number;
            /**
             * @description of estimatedCost; the budget's if it is not given
             * @example USD
             */
            currency?: string;
            /**
             * @description for whom: of budgets for each of many, whose account; a gateway key asks for itself
             * @example {
             *       "userId": "ann"
             *     }
             */
            identity?: {
                teamId?: string;
                projectId?: string;
                userId?: string;
                keyId?: string;
                sessionId?: string;
                endUserId?: string;
                tags?: {
                    [key: string]: string;
                };
            };
        };
        /** @description Of somebody who needs more than require-approval leaves. */
        ApprovalRequest: {
            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
            id: string;
            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
            budgetId: string;
            subject: string | null;
            amount: string | null;
            currency: string;
            reason: string;
            requestedBy: string;
            keyId: string | null;
            userId: string | null;
            /**
             * @description RFC 3339, in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            createdAt: string;
            /** @enum {unknown} */
            state: "open" | "approved" | "denied";
            decidedAt: string | null;
            decidedBy: string | null;
            decisionReason: string | null;
            adjustmentId: string | null;
        };
        BudgetNode: {
            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
            id: string;
            /** @description for people */
            name: string;
            description: string | null;
            organizationId: string | null;
            /**
             * @description whom a budget is for
             * @enum {unknown}
             */
            scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
            /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
            scopeId: string;
            /**
             * @description ISO 4217
             * @example USD
             */
            currency: string;
            /**
             * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
             * @enum {unknown}
             */
            period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
            /**
             * @description IANA time zone
             * @default UTC
             * @example Europe/Berlin
             */
            timezone: string;
            /**
             * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            startDate: string;
            endDate: string | null;
            /** @description default true, false for custom; false: only the period that holds startDate */
            recurring: boolean;
            /**
             * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
             * @enum {unknown}
             */
            mode: "enforced" | "soft" | "shadow";
            /**
             * @description refuses new calls until it is resumed
             * @default false
             */
            paused: boolean;
            /**
             * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
             * @default false
             */
            capToFit: boolean | {
                /**
                 * @description per answer, besides those of stated thinking; with less left the call is refused
                 * @default 1024
                 */
                minimumTokens: number;
                /**
                 * @description also of models that think as long as they like: their answer may be cut off before it begins
                 * @default false
                 */
                reasoning: boolean;
            };
            /**
             * @description what goes on into the next period; true: all that was not spent, and debt
             * @default false
             */
            carryOver: boolean | {
                /**
                 * @description of what was not spent
                 * @default 100
                 */
                percent: number;
                max?: (string | number) | null;
                /**
                 * @description also what was spent past the limit
                 * @default true
                 */
                debt: boolean;
            };
            /**
             * @description what happens while PostgreSQL does not answer and the leases are used up
             * @default closed
             */
            failMode: "closed" | {
                /**
                 * @description what each gateway may let through while PostgreSQL does not answer
                 * @example 5
                 */
                openUpTo: string | number;
            };
            rateLimits: {
                requestsPerMinute?: number | null;
                tokensPerMinute?: number | null;
                concurrentCalls?: number | null;
            } | null;
            /** @description the budget applies to calls that pass all of them */
            filters: {
                /**
                 * @example [
                 *       "openai"
                 *     ]
                 */
                providers?: string[];
                /**
                 * @description names, or patterns with *
                 * @example [
                 *       "gpt-*"
                 *     ]
                 */
                models?: string[];
                /**
                 * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                 * @example [
                 *       "chat.completions"
                 *     ]
                 */
                endpoints?: string[];
                /**
                 * @example {
                 *       "costCenter": "4711"
                 *     }
                 */
                tags?: {
                    [key: string]: string;
                };
            };
            /**
             * @description of a budget for each of many: those that have another amount, at most 1000
             * @example {
             *       "alice": "50"
             *     }
             */
            overrides: {
                [key: string]: string | number;
            };
            /**
             * @example {
             *       "costCenter": "4711"
             *     }
             */
            tags: {
                [key: string]: string;
            };
            parentBudgetId: string | null;
            createdBy: string | null;
            /**
             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
             * @example 12.5
             */
            amount: string;
            /**
             * @description the amount, or less where block-all or require-approval says so
             * @example 237.5
             */
            enforcedLimit: string;
            alerts: {
                /**
                 * @description percent of the amount with the adjustments in force
                 * @example 80
                 */
                threshold?: number;
                /**
                 * @description in place of a percentage, in the currency of the budget
                 * @example 250
                 */
                amount?: string | number;
                /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                actions: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                notificationChannels: string[];
                message: string | null;
                /**
                 * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                 * @example [
                 *       "gpt-4o-mini",
                 *       "claude-haiku-*"
                 *     ]
                 */
                models?: string[];
                /**
                 * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                 * @example {
                 *       "gpt-4o": "gpt-4o-mini"
                 *     }
                 */
                downgrade?: {
                    [key: string]: string;
                };
            }[];
            /** @description also the ETag; grows with every change */
            version: number;
            /**
             * @description RFC 3339, in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            createdAt: string;
            /**
             * @description RFC 3339, in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            updatedAt: string;
            archivedAt: string | null;
            /** @description what is allowed, and perhaps not meant; in answers to changes, where there is some */
            warnings: components["schemas"]["BudgetWarning"][];
            status: components["schemas"]["BudgetNodeStatus"];
            /** @example [] */
            children: components["schemas"]["BudgetNode"][];
        };
        BudgetNodeStatus: {
            budgetId: string;
            /**
             * @description of a budget for each of many: whose account
             * @example alice
             */
            subject?: string;
            /** @description of a budget for each of many, asked about as a whole: how many have an account; all figures are sums over them */
            subjects?: number;
            /** @description spent in this period: settled, and finished calls that are not recorded yet */
            currentAmount: string;
            /** @description the amount with what was carried over and the adjustments in force, which is 100 %; negative: debt is more than all of it */
            limit: string;
            /** @description what limit is the sum of */
            limitParts: {
                /** @description of the definition */
                amount: string;
                /** @description from the period before; negative: debt */
                carriedOver: string;
                /** @description in force: increases, top-ups and transfers */
                adjustments: string;
            };
            /** @description what holds are measured by: limit, or less where block-all or require-approval says so */
            enforcedLimit: string;
            /** @description ISO 4217, of all amounts here */
            currency: string;
            /** @description currentAmount in percent of limit, rounded down to a ten-thousandth */
            percentUsed: number;
            /** @description enforcedLimit - currentAmount - held, never below 0: what the next hold can take */
            remaining: string;
            /** @description quotes of open calls on all gateways, long holds, and what is in doubt */
            held: string;
            /** @description part of held: leased by gateways that do not answer */
            inDoubt: string;
            /** @description part of held: set aside by long holds */
            longHeld: string;
            /** @description leased by gateways and idle: neither spent nor held; they give it back when it is needed */
            leased: string;
            /** @description true: the live figures of a gateway are missing, so all that it leases and has not recorded counts as held */
            heldIsUpperBound: boolean;
            daysRemaining: number | null;
            /** @description per day of the budget's time zone: currentAmount by the days since the budget began to apply in this period, at least a 24th of a day, and at most until it ended; rounded up to the nano-unit */
            burnRate: string;
            projectedTotal: string | null;
            /**
             * @description by currentAmount: warning from 80 % of limit, critical from 95 %, exceeded from 100 %
             * @enum {unknown}
             */
            status: "normal" | "warning" | "critical" | "exceeded";
            /**
             * @description running: calls are held on it; paused: it refuses every call to which it applies; else it applies to none
             * @enum {unknown}
             */
            state: "running" | "paused" | "not_started" | "ended" | "archived";
            /** @description thresholds that were crossed in this period, the lowest first */
            activeAlerts: components["schemas"]["ActiveAlert"][];
            /**
             * @description RFC 3339, in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            periodStart: string;
            periodEnd: string | null;
            /**
             * @description when these figures last changed: by a charge, a hold, a change of the budget, or the start of the period
             * @example 2026-11-24T09:15:00.000Z
             */
            lastUpdated: string;
            /**
             * @description part of currentAmount that came in at this budget and not through one below it, by the hierarchy as it stood when it was recorded; where there are budgets below, without what is not recorded yet
             * @example 12.5
             */
            ownAmount: string;
            /**
             * @description recorded part of currentAmount that came in through budgets below
             * @example 100
             */
            belowAmount: string;
        };
        /** @description The running period; of a budget that has not begun its first, of one that has ended its last. */
        BudgetStatus: {
            budgetId: string;
            /**
             * @description of a budget for each of many: whose account
             * @example alice
             */
            subject?: string;
            /** @description of a budget for each of many, asked about as a whole: how many have an account; all figures are sums over them */
            subjects?: number;
            /** @description spent in this period: settled, and finished calls that are not recorded yet */
            currentAmount: string;
            /** @description the amount with what was carried over and the adjustments in force, which is 100 %; negative: debt is more than all of it */
            limit: string;
            /** @description what limit is the sum of */
            limitParts: {
                /** @description of the definition */
                amount: string;
                /** @description from the period before; negative: debt */
                carriedOver: string;
                /** @description in force: increases, top-ups and transfers */
                adjustments: string;
            };
            /** @description what holds are measured by: limit, or less where block-all or require-approval says so */
            enforcedLimit: string;
            /** @description ISO 4217, of all amounts here */
            currency: string;
            /** @description currentAmount in percent of limit, rounded down to a ten-thousandth */
            percentUsed: number;
            /** @description enforcedLimit - currentAmount - held, never below 0: what the next hold can take */
            remaining: string;
            /** @description quotes of open calls on all gateways, long holds, and what is in doubt */
            held: string;
            /** @description part of held: leased by gateways that do not answer */
            inDoubt: string;
            /** @description part of held: set aside by long holds */
            longHeld: string;
            /** @description leased by gateways and idle: neither spent nor held; they give it back when it is needed */
            leased: string;
            /** @description true: the live figures of a gateway are missing, so all that it leases and has not recorded counts as held */
            heldIsUpperBound: boolean;
            daysRemaining: number | null;
            /** @description per day of the budget's time zone: currentAmount by the days since the budget began to apply in this period, at least a 24th of a day, and at most until it ended; rounded up to the nano-unit */
            burnRate: string;
            projectedTotal: string | null;
            /**
             * @description by currentAmount: warning from 80 % of limit, critical from 95 %, exceeded from 100 %
             * @enum {unknown}
             */
            status: "normal" | "warning" | "critical" | "exceeded";
            /**
             * @description running: calls are held on it; paused: it refuses every call to which it applies; else it applies to none
             * @enum {unknown}
             */
            state: "running" | "paused" | "not_started" | "ended" | "archived";
            /** @description thresholds that were crossed in this period, the lowest first */
            activeAlerts: components["schemas"]["ActiveAlert"][];
            /**
             * @description RFC 3339, in UTC
             * @example 2026-12-01T00:00:00.000Z
             */
            periodStart: string;
            periodEnd: string | null;
            /**
             * @description when these figures last changed: by a charge, a hold, a change of the budget, or the start of the period
             * @example 2026-11-24T09:15:00.000Z
             */
            lastUpdated: string;
        };
        BudgetWarning: {
            /** @enum {unknown} */
            code: "children_exceed_parent";
            /** @example The budgets below "Search" have 300 USD a month together, more than its own 250 USD */
            message: string;
            /** @description the budget that has less than those right below it together */
            budgetId: string;
        };
        CallQuestion: {
            /** @example openai */
            provider: string;
            /** @example gpt-4o */
            model: string;
            /** @description of every kind together */
            inputTokens: number;
            /** @description of each choice; the model's maximum if it is not given */
            outputTokens?: number;
            choices?: number;
            /** @enum {unknown} */
            cacheWrite?: "none" | "5m" | "1h";
            /**
             * @description e.g. flex, priority, fast+us
             * @example default
             */
            tier?: string;
            webSearches?: number;
            /**
             * @description for whom: of budgets for each of many, whose account; a gateway key asks for itself
             * @example {
             *       "userId": "ann"
             *     }
             */
            identity?: {
                teamId?: string;
                projectId?: string;
                userId?: string;
                keyId?: string;
                sessionId?: string;
                endUserId?: string;
                tags?: {
                    [key: string]: string;
                };
            };
        };
        ConstraintLink: {
            /** @description false: a budget above that is out of your reach; only canProceed is told of it */
            visible: boolean;
            canProceed: boolean;
            budgetId?: string;
            name?: string;
            scopeType?: string;
            scopeId?: string;
            /** @description whose account it is, where the budget is for each of many */
            subject?: string;
            /**
             * @description running: calls are held on it; paused: it refuses every call to which it applies; else it applies to none
             * @enum {unknown}
             */
            state?: "running" | "paused" | "not_started" | "ended" | "archived";
            /** @description soft budgets refuse nothing for their amount */
            mode?: string;
            currency?: string;
            /**
             * @description in the currency of this budget
             * @example 0.0125
             */
            estimatedCost?: string;
            /**
             * @description the enforced one
             * @example 250
             */
            limit?: string;
            /**
             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
             * @example 12.5
             */
            currentAmount?: string;
            /**
             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
             * @example 12.5
             */
            held?: string;
            /**
             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
             * @example 12.5
             */
            inDoubt?: string;
            /**
             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
             * @example 12.5
             */
            leased?: string;
            heldIsUpperBound?: boolean;
            /**
             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
             * @example 12.5
             */
            remaining?: string;
            resetsAt?: string | null;
        };
        ExplainQuestion: {
            /**
             * @description whom the call would be for; a gateway key asks for itself
             * @example {
             *       "organizationId": "acme",
             *       "teamId": "search"
             *     }
             */
            identity?: {
                /** @description whom it is for */
                organizationId: string;
                /** @description and of it */
                teamId?: string;
                /** @description and of it */
                projectId?: string;
                /** @description and of it */
                userId?: string;
                /** @description of it */
                sessionId?: string;
                /** @description for whom a client of yours works */
                endUserId?: string;
                /**
                 * @example {
                 *       "costCenter": "4711"
                 *     }
                 */
                tags?: {
                    [key: string]: string;
                };
            };
            /** @description the gateway key that would bring it. Or identity */
            keyId?: string;
            /**
             * @description identity headers that it would carry, with keyId
             * @example {
             *       "x-relaycore-user": "ann"
             *     }
             */
            headers?: {
                [key: string]: string;
            };
            /**
             * @description of the call, with its body
             * @example /v1/chat/completions
             */
            path?: string;
            /**
             * @description as JSON, or as the very text that would be sent: its bytes bound the input
             * @example {
             *       "model": "gpt-4o",
             *       "messages": []
             *     }
             */
            body?: unknown;
            /** @example openai */
            provider?: string;
            /** @example gpt-4o */
            model?: string;
            /** @description of every kind together */
            inputTokens?: number;
            /** @description of each choice; the model's maximum if it is not given */
            outputTokens?: number;
            choices?: number;
            /** @enum {unknown} */
            cacheWrite?: "none" | "5m" | "1h";
            /**
             * @description e.g. flex, priority, fast+us
             * @example default
             */
            tier?: string;
            webSearches?: number;
        };
        /** @description RFC 9457 */
        Problem: {
            /** @description a reference to where the gateway explains the code */
            type: string;
            /** @description of the status */
            title: string;
            status: number;
            /** @description what is wrong with this request, for people */
            detail: string;
            /** @description stable, for programs; /docs/errors has them all */
            code: string;
            /** @description by which the gateway's log and audit log name this request */
            requestId: string;
            /** @description which one is wrong, e.g. alerts/0/threshold */
            field?: string;
            /** @description what would be right */
            expected?: string;
            /** @description what would help, where a budget refuses */
            remedy?: string;
            /** @description the budget that has not enough */
            budget?: {
                id: string;
                name: string;
                scopeType: string;
                scopeId: string;
                /** @description of a budget for each of many: whose account */
                subject?: string;
                currency: string;
                /**
                 * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                 * @example 12.5
                 */
                limit: string;
                /**
                 * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                 * @example 12.5
                 */
                spent: string;
                /**
                 * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                 * @example 12.5
                 */
                held: string;
                /**
                 * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                 * @example 12.5
                 */
                needed: string;
                /**
                 * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                 * @example 12.5
                 */
                remaining: string;
                resetsAt: string | null;
            };
            /** @description the long hold in the way */
            hold?: {
                id: string;
                /**
                 * @description RFC 3339, in UTC
                 * @example 2026-12-01T00:00:00.000Z
                 */
                until: string;
            };
        };
    };
    responses: {
        /**
         * @description `approval_required`: Past what is left of it the budget requires approval.
         *
         *     `budget_exhausted`: What is spent leaves less than the amount.
         *
         *     `budget_held`: Long holds set aside what is left; `hold` names the largest.
         *
         *     `budget_in_doubt`: What is left is leased to a gateway that is silent.
         *
         *     `budget_paused`: A budget that applies is paused.
         *
         *     `conflict`: The change contradicts what is there.
         *
         *     `no_budget`: No budget applies to what is to be set aside.
         *
         *     `quote_exceeds_budget`: The amount alone is more than the budget's limit.
         */
        "approval_required.budget_exhausted.budget_held.budget_in_doubt.budget_paused.conflict.no_budget.quote_exceeds_budget": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "approval_required" | "budget_exhausted" | "budget_held" | "budget_in_doubt" | "budget_paused" | "conflict" | "no_budget" | "quote_exceeds_budget";
                };
            };
        };
        /**
         * @description `bad_request`: The request cannot be read as HTTP.
         *
         *     `invalid_body`: The body is not the JSON that the route takes: empty, cut off, malformed, or with a forbidden name.
         *
         *     `invalid_field`: One field, parameter or header is wrong; `field` names it, `expected` says what would be right.
         *
         *     `invalid_url`: The URL is malformed.
         */
        "bad_request.invalid_body.invalid_field.invalid_url": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "bad_request" | "invalid_body" | "invalid_field" | "invalid_url";
                };
            };
        };
        /** @description `body_too_large`: The body is larger than the route takes. */
        body_too_large: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "body_too_large";
                };
            };
        };
        /**
         * @description `budget_contention`: Open calls hold what is left.
         *
         *     `too_many_failures`: This address brought too many wrong tokens. A token that the gateway made passes all the same.
         */
        "budget_contention.too_many_failures": {
            headers: {
                /** @description Seconds after which to try again. */
                "retry-after"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "budget_contention" | "too_many_failures";
                };
            };
        };
        /**
         * @description `budget_in_use`: The budget was charged, so this field of it cannot change any more.
         *
         *     `conflict`: The change contradicts what is there.
         */
        "budget_in_use.conflict": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "budget_in_use" | "conflict";
                };
            };
        };
        /**
         * @description `conflict`: The change contradicts what is there.
         *
         *     `hold_settled`: The hold has ended in another way before.
         */
        "conflict.hold_settled": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "conflict" | "hold_settled";
                };
            };
        };
        /** @description `dependency_unavailable`: PostgreSQL, or what else the gateway needs for this, does not answer. */
        dependency_unavailable: {
            headers: {
                /** @description Seconds after which to try again. */
                "retry-after"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "dependency_unavailable";
                };
            };
        };
        /** @description `forbidden`: The token is valid and does not allow this. */
        forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "forbidden";
                };
            };
        };
        /** @description `hold_settled`: The hold has ended in another way before. */
        hold_settled: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "hold_settled";
                };
            };
        };
        /** @description `idempotency_key_reused`: This `idempotency-key` came before with another request. */
        idempotency_key_reused: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "idempotency_key_reused";
                };
            };
        };
        /**
         * @description `idempotency_key_reused`: This `idempotency-key` came before with another request.
         *
         *     `unprocessable`: The request is well formed and cannot be done as it is.
         */
        "idempotency_key_reused.unprocessable": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "idempotency_key_reused" | "unprocessable";
                };
            };
        };
        /** @description `internal_error`: The gateway failed. */
        internal_error: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "internal_error";
                };
            };
        };
        /**
         * @description `invalid_body`: The body is not the JSON that the route takes: empty, cut off, malformed, or with a forbidden name.
         *
         *     `invalid_field`: One field, parameter or header is wrong; `field` names it, `expected` says what would be right.
         */
        "invalid_body.invalid_field": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "invalid_body" | "invalid_field";
                };
            };
        };
        /** @description `invalid_field`: One field, parameter or header is wrong; `field` names it, `expected` says what would be right. */
        invalid_field: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "invalid_field";
                };
            };
        };
        /** @description `not_found`: There is no such object, or it is out of the reach of who asks. */
        not_found: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "not_found";
                };
            };
        };
        /**
         * @description `not_found`: There is no such object, or it is out of the reach of who asks.
         *
         *     `route_not_found`: There is no route with this path.
         */
        "not_found.route_not_found": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "not_found" | "route_not_found";
                };
            };
        };
        /** @description `precondition_failed`: The object is another version by now than the one that `if-match` names; nothing was changed. */
        precondition_failed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "precondition_failed";
                };
            };
        };
        /** @description `too_many_failures`: This address brought too many wrong tokens. A token that the gateway made passes all the same. */
        too_many_failures: {
            headers: {
                /** @description Seconds after which to try again. */
                "retry-after"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "too_many_failures";
                };
            };
        };
        /** @description `unauthorized`: There is no token, or it is not, or no longer, a valid one. */
        unauthorized: {
            headers: {
                /** @description The scheme that is asked for. */
                "www-authenticate"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "unauthorized";
                };
            };
        };
        /** @description `unsupported_media_type`: The body is not application/json. */
        unsupported_media_type: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "unsupported_media_type";
                };
            };
        };
        /** @description `url_too_long`: A part of the path is longer than any id. */
        url_too_long: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"] & {
                    /** @enum {string} */
                    code: "url_too_long";
                };
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getApprovalRequests: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description budgetId, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                budgetId?: string;
                state?: "open" | "approved" | "denied";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "requests": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "subject": "text",
                     *           "amount": "12.5",
                     *           "currency": "USD",
                     *           "reason": "text",
                     *           "requestedBy": "text",
                     *           "keyId": "text",
                     *           "userId": null,
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "state": "open",
                     *           "decidedAt": "2026-12-01T00:00:00.000Z",
                     *           "decidedBy": "text",
                     *           "decisionReason": "text",
                     *           "adjustmentId": "text"
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        requests: components["schemas"]["ApprovalRequest"][];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postApprovalRequests: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                 *       "amount": "20",
                 *       "reason": "evaluation run"
                 *     }
                 */
                "application/json": {
                    /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                    budgetId: string;
                    /**
                     * @description of a budget for each of many, for whom; for all of them if not given
                     * @example ada
                     */
                    subject?: string;
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount?: string | number;
                    /**
                     * @description why, for people
                     * @example launch week
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Of somebody who needs more than require-approval leaves. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "subject": "text",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "reason": "text",
                     *       "requestedBy": "text",
                     *       "keyId": "text",
                     *       "userId": null,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "state": "open",
                     *       "decidedAt": "2026-12-01T00:00:00.000Z",
                     *       "decidedBy": "text",
                     *       "decisionReason": "text",
                     *       "adjustmentId": "text"
                     *     }
                     */
                    "application/json": components["schemas"]["ApprovalRequest"];
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found.route_not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getApprovalRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Of somebody who needs more than require-approval leaves. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "subject": "text",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "reason": "text",
                     *       "requestedBy": "text",
                     *       "keyId": "text",
                     *       "userId": null,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "state": "open",
                     *       "decidedAt": "2026-12-01T00:00:00.000Z",
                     *       "decidedBy": "text",
                     *       "decisionReason": "text",
                     *       "adjustmentId": "text"
                     *     }
                     */
                    "application/json": components["schemas"]["ApprovalRequest"];
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postApprovalRequestApprove: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "amount": "20"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount?: string | number;
                    /**
                     * @description RFC 3339: when it ends; the end of the running period if not given
                     * @example 2026-12-01T00:00:00Z
                     */
                    to?: string;
                    /**
                     * @description why, for people
                     * @example launch week
                     */
                    reason?: string;
                } | null;
            };
        };
        responses: {
            /** @description Of somebody who needs more than require-approval leaves. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "subject": "text",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "reason": "text",
                     *       "requestedBy": "text",
                     *       "keyId": "text",
                     *       "userId": null,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "state": "open",
                     *       "decidedAt": "2026-12-01T00:00:00.000Z",
                     *       "decidedBy": "text",
                     *       "decisionReason": "text",
                     *       "adjustmentId": "text"
                     *     }
                     */
                    "application/json": components["schemas"]["ApprovalRequest"];
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postApprovalRequestDeny: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "reason": "next month"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description why, for people
                     * @example launch week
                     */
                    reason?: string;
                } | null;
            };
        };
        responses: {
            /** @description Of somebody who needs more than require-approval leaves. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "subject": "text",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "reason": "text",
                     *       "requestedBy": "text",
                     *       "keyId": "text",
                     *       "userId": null,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "state": "open",
                     *       "decidedAt": "2026-12-01T00:00:00.000Z",
                     *       "decidedBy": "text",
                     *       "decisionReason": "text",
                     *       "adjustmentId": "text"
                     *     }
                     */
                    "application/json": components["schemas"]["ApprovalRequest"];
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getAudit: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description id of who changed something, e.g. 01912d68-783e-7a03-8467-5661c1243ad4 */
                actor?: string;
                /** @description exactly, e.g. budget.changed */
                action?: string;
                /** @description of what was changed, e.g. budget */
                objectType?: string;
                /** @description of what was changed, e.g. 01912d68-783e-7a03-8467-5661c1243ad4 */
                objectId?: string;
                /** @description the first moment, RFC 3339, e.g. 2026-11-01T00:00:00Z */
                from?: string;
                /** @description the moment after the last, RFC 3339, e.g. 2026-11-01T00:00:00Z */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "entries": [
                     *         {
                     *           "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "at": "2026-12-01T00:00:00.000Z",
                     *           "actor": {
                     *             "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *             "name": "Ada",
                     *             "role": "administrator"
                     *           },
                     *           "requestId": "req-1f",
                     *           "from": "10.1.2.3",
                     *           "action": "budget.changed",
                     *           "objectType": "budget",
                     *           "objectId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "organizationId": "acme",
                     *           "before": {},
                     *           "after": {},
                     *           "seq": 1,
                     *           "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        entries: {
                            /** @description UUID */
                            id: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            at: string;
                            actor: {
                                /** @description of the token, or what its issuer calls who asks */
                                id: string;
                                /** @example Ada */
                                name: string;
                                /**
                                 * @description administrator, manager, or system for what the gateway does by itself
                                 * @example administrator
                                 */
                                role: string;
                            };
                            requestId: string | null;
                            from: string | null;
                            /** @example budget.changed */
                            action: string;
                            /** @example budget */
                            objectType: string;
                            /** @example 01912d68-783e-7a03-8467-5661c1243ad4 */
                            objectId: string;
                            organizationId: string | null;
                            before: {
                                [key: string]: unknown;
                            } | null;
                            after: {
                                [key: string]: unknown;
                            } | null;
                            /** @description its number in the log; for those whose reach is everything */
                            seq?: number;
                            /**
                             * @description SHA-256 over the hash before it and this entry, in hex; for those whose reach is everything
                             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                             */
                            hash?: string;
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getAuditEntry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "at": "2026-12-01T00:00:00.000Z",
                     *       "actor": {
                     *         "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *         "name": "Ada",
                     *         "role": "administrator"
                     *       },
                     *       "requestId": "req-1f",
                     *       "from": "10.1.2.3",
                     *       "action": "budget.changed",
                     *       "objectType": "budget",
                     *       "objectId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "organizationId": "acme",
                     *       "before": {},
                     *       "after": {},
                     *       "seq": 1,
                     *       "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                     *     }
                     */
                    "application/json": {
                        /** @description UUID */
                        id: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        at: string;
                        actor: {
                            /** @description of the token, or what its issuer calls who asks */
                            id: string;
                            /** @example Ada */
                            name: string;
                            /**
                             * @description administrator, manager, or system for what the gateway does by itself
                             * @example administrator
                             */
                            role: string;
                        };
                        requestId: string | null;
                        from: string | null;
                        /** @example budget.changed */
                        action: string;
                        /** @example budget */
                        objectType: string;
                        /** @example 01912d68-783e-7a03-8467-5661c1243ad4 */
                        objectId: string;
                        organizationId: string | null;
                        before: {
                            [key: string]: unknown;
                        } | null;
                        after: {
                            [key: string]: unknown;
                        } | null;
                        /** @description its number in the log; for those whose reach is everything */
                        seq?: number;
                        /**
                         * @description SHA-256 over the hash before it and this entry, in hex; for those whose reach is everything
                         * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                         */
                        hash?: string;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgets: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description archived ones too */
                includeInactive?: boolean;
                /** @description parentBudgetId, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                parentBudgetId?: string;
                /** @description whom a budget is for */
                scopeType?: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                /** @description exactly */
                scopeId?: string;
                /** @description exactly */
                organizationId?: string;
                /** @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given */
                mode?: "enforced" | "soft" | "shadow";
                /** @description ISO 4217, e.g. USD */
                currency?: string;
                /** @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again */
                period?: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                /** @description name:value, or a name alone; several: all of them, e.g. costCenter:4711 */
                tag?: string | string[];
                /** @description a part of the name, in letters of either case */
                q?: string;
                /** @description -: the greatest first */
                sort?: "name" | "-name" | "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "amount" | "-amount";
                /** @description whether to count all pages */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgets": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "name": "Search team",
                     *           "description": "What the search team may spend",
                     *           "organizationId": "acme",
                     *           "scopeType": "team",
                     *           "scopeId": "search",
                     *           "currency": "USD",
                     *           "period": "monthly",
                     *           "timezone": "Europe/Berlin",
                     *           "startDate": "2026-12-01T00:00:00.000Z",
                     *           "endDate": null,
                     *           "recurring": true,
                     *           "mode": "enforced",
                     *           "paused": false,
                     *           "capToFit": true,
                     *           "carryOver": true,
                     *           "failMode": "closed",
                     *           "rateLimits": {
                     *             "requestsPerMinute": 60
                     *           },
                     *           "filters": {
                     *             "providers": [
                     *               "openai"
                     *             ],
                     *             "models": [
                     *               "gpt-*"
                     *             ],
                     *             "endpoints": [
                     *               "chat.completions"
                     *             ],
                     *             "tags": {
                     *               "costCenter": "4711"
                     *             }
                     *           },
                     *           "overrides": {
                     *             "alice": "50"
                     *           },
                     *           "tags": {
                     *             "costCenter": "4711"
                     *           },
                     *           "parentBudgetId": null,
                     *           "createdBy": "ada",
                     *           "amount": "12.5",
                     *           "enforcedLimit": "237.5",
                     *           "alerts": [
                     *             {
                     *               "threshold": 80,
                     *               "amount": "250",
                     *               "actions": [
                     *                 "notify"
                     *               ],
                     *               "notificationChannels": [
                     *                 "text"
                     *               ],
                     *               "message": "text",
                     *               "models": [
                     *                 "gpt-4o-mini",
                     *                 "claude-haiku-*"
                     *               ],
                     *               "downgrade": {
                     *                 "gpt-4o": "gpt-4o-mini"
                     *               }
                     *             }
                     *           ],
                     *           "version": 7,
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "updatedAt": "2026-12-01T00:00:00.000Z",
                     *           "archivedAt": null,
                     *           "warnings": [
                     *             {
                     *               "code": "children_exceed_parent",
                     *               "message": "The budgets below \"Search\" have 300 USD a month together, more than its own 250 USD",
                     *               "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null,
                     *       "total": 1
                     *     }
                     */
                    "application/json": {
                        budgets: {
                            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                            id: string;
                            /** @description for people */
                            name: string;
                            description: string | null;
                            organizationId: string | null;
                            /**
                             * @description whom a budget is for
                             * @enum {unknown}
                             */
                            scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                            /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                            scopeId: string;
                            /**
                             * @description ISO 4217
                             * @example USD
                             */
                            currency: string;
                            /**
                             * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                             * @enum {unknown}
                             */
                            period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                            /**
                             * @description IANA time zone
                             * @default UTC
                             * @example Europe/Berlin
                             */
                            timezone: string;
                            /**
                             * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            startDate: string;
                            endDate: string | null;
                            /** @description default true, false for custom; false: only the period that holds startDate */
                            recurring: boolean;
                            /**
                             * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                             * @enum {unknown}
                             */
                            mode: "enforced" | "soft" | "shadow";
                            /**
                             * @description refuses new calls until it is resumed
                             * @default false
                             */
                            paused: boolean;
                            /**
                             * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                             * @default false
                             */
                            capToFit: boolean | {
                                /**
                                 * @description per answer, besides those of stated thinking; with less left the call is refused
                                 * @default 1024
                                 */
                                minimumTokens: number;
                                /**
                                 * @description also of models that think as long as they like: their answer may be cut off before it begins
                                 * @default false
                                 */
                                reasoning: boolean;
                            };
                            /**
                             * @description what goes on into the next period; true: all that was not spent, and debt
                             * @default false
                             */
                            carryOver: boolean | {
                                /**
                                 * @description of what was not spent
                                 * @default 100
                                 */
                                percent: number;
                                max?: (string | number) | null;
                                /**
                                 * @description also what was spent past the limit
                                 * @default true
                                 */
                                debt: boolean;
                            };
                            /**
                             * @description what happens while PostgreSQL does not answer and the leases are used up
                             * @default closed
                             */
                            failMode: "closed" | {
                                /**
                                 * @description what each gateway may let through while PostgreSQL does not answer
                                 * @example 5
                                 */
                                openUpTo: string | number;
                            };
                            rateLimits: {
                                requestsPerMinute?: number | null;
                                tokensPerMinute?: number | null;
                                concurrentCalls?: number | null;
                            } | null;
                            /** @description the budget applies to calls that pass all of them */
                            filters: {
                                /**
                                 * @example [
                                 *       "openai"
                                 *     ]
                                 */
                                providers?: string[];
                                /**
                                 * @description names, or patterns with *
                                 * @example [
                                 *       "gpt-*"
                                 *     ]
                                 */
                                models?: string[];
                                /**
                                 * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                                 * @example [
                                 *       "chat.completions"
                                 *     ]
                                 */
                                endpoints?: string[];
                                /**
                                 * @example {
                                 *       "costCenter": "4711"
                                 *     }
                                 */
                                tags?: {
                                    [key: string]: string;
                                };
                            };
                            /**
                             * @description of a budget for each of many: those that have another amount, at most 1000
                             * @example {
                             *       "alice": "50"
                             *     }
                             */
                            overrides: {
                                [key: string]: string | number;
                            };
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags: {
                                [key: string]: string;
                            };
                            parentBudgetId: string | null;
                            createdBy: string | null;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /**
                             * @description the amount, or less where block-all or require-approval says so
                             * @example 237.5
                             */
                            enforcedLimit: string;
                            alerts: {
                                /**
                                 * @description percent of the amount with the adjustments in force
                                 * @example 80
                                 */
                                threshold?: number;
                                /**
                                 * @description in place of a percentage, in the currency of the budget
                                 * @example 250
                                 */
                                amount?: string | number;
                                /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                                actions: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                                notificationChannels: string[];
                                message: string | null;
                                /**
                                 * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                                 * @example [
                                 *       "gpt-4o-mini",
                                 *       "claude-haiku-*"
                                 *     ]
                                 */
                                models?: string[];
                                /**
                                 * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                                 * @example {
                                 *       "gpt-4o": "gpt-4o-mini"
                                 *     }
                                 */
                                downgrade?: {
                                    [key: string]: string;
                                };
                            }[];
                            /** @description also the ETag; grows with every change */
                            version: number;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            createdAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            updatedAt: string;
                            archivedAt: string | null;
                            /** @description what is allowed, and perhaps not meant; in answers to changes, where there is some */
                            warnings?: components["schemas"]["BudgetWarning"][];
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                        /** @description of all pages, where total=true asks for it */
                        total?: number;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgets: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Search team",
                 *       "organizationId": "acme",
                 *       "scopeType": "team",
                 *       "scopeId": "search",
                 *       "amount": "250",
                 *       "currency": "USD",
                 *       "period": "monthly",
                 *       "timezone": "Europe/Berlin",
                 *       "alerts": [
                 *         {
                 *           "threshold": 80
                 *         },
                 *         {
                 *           "threshold": 95,
                 *           "actions": [
                 *             "block-all"
                 *           ]
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name: string;
                    description?: string | null;
                    organizationId?: string | null;
                    /**
                     * @description whom a budget is for
                     * @enum {unknown}
                     */
                    scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                    /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                    scopeId: string;
                    /**
                     * @description ISO 4217
                     * @example USD
                     */
                    currency: string;
                    /**
                     * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                     * @enum {unknown}
                     */
                    period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                    /**
                     * @description IANA time zone
                     * @default UTC
                     * @example Europe/Berlin
                     */
                    timezone?: string;
                    /**
                     * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                     * @example 2026-12-01T00:00:00.000Z
                     */
                    startDate?: string;
                    endDate?: string | null;
                    /** @description default true, false for custom; false: only the period that holds startDate */
                    recurring?: boolean;
                    /**
                     * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                     * @enum {unknown}
                     */
                    mode?: "enforced" | "soft" | "shadow";
                    /**
                     * @description refuses new calls until it is resumed
                     * @default false
                     */
                    paused?: boolean;
                    /**
                     * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                     * @default false
                     */
                    capToFit?: boolean | {
                        /**
                         * @description per answer, besides those of stated thinking; with less left the call is refused
                         * @default 1024
                         */
                        minimumTokens?: number;
                        /**
                         * @description also of models that think as long as they like: their answer may be cut off before it begins
                         * @default false
                         */
                        reasoning?: boolean;
                    };
                    /**
                     * @description what goes on into the next period; true: all that was not spent, and debt
                     * @default false
                     */
                    carryOver?: boolean | {
                        /**
                         * @description of what was not spent
                         * @default 100
                         */
                        percent?: number;
                        max?: (string | number) | null;
                        /**
                         * @description also what was spent past the limit
                         * @default true
                         */
                        debt?: boolean;
                    };
                    /**
                     * @description what happens while PostgreSQL does not answer and the leases are used up
                     * @default closed
                     */
                    failMode?: "closed" | {
                        /**
                         * @description what each gateway may let through while PostgreSQL does not answer
                         * @example 5
                         */
                        openUpTo: string | number;
                    };
                    rateLimits?: {
                        requestsPerMinute?: number | null;
                        tokensPerMinute?: number | null;
                        concurrentCalls?: number | null;
                    } | null;
                    /** @description the budget applies to calls that pass all of them */
                    filters?: {
                        /**
                         * @example [
                         *       "openai"
                         *     ]
                         */
                        providers?: string[];
                        /**
                         * @description names, or patterns with *
                         * @example [
                         *       "gpt-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                         * @example [
                         *       "chat.completions"
                         *     ]
                         */
                        endpoints?: string[];
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags?: {
                            [key: string]: string;
                        };
                    };
                    /**
                     * @description of a budget for each of many: those that have another amount, at most 1000
                     * @example {
                     *       "alice": "50"
                     *     }
                     */
                    overrides?: {
                        [key: string]: string | number;
                    };
                    /**
                     * @example {
                     *       "costCenter": "4711"
                     *     }
                     */
                    tags?: {
                        [key: string]: string;
                    };
                    parentBudgetId?: string | null;
                    createdBy?: string | null;
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount: string | number;
                    alerts?: {
                        /**
                         * @description percent of the amount with the adjustments in force
                         * @example 80
                         */
                        threshold?: number;
                        /**
                         * @description in place of a percentage, in the currency of the budget
                         * @example 250
                         */
                        amount?: string | number;
                        /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                        actions?: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                        notificationChannels?: string[];
                        message?: string | null;
                        /**
                         * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                         * @example [
                         *       "gpt-4o-mini",
                         *       "claude-haiku-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                         * @example {
                         *       "gpt-4o": "gpt-4o-mini"
                         *     }
                         */
                        downgrade?: {
                            [key: string]: string;
                        };
                    }[];
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "capToFit": true,
                     *       "carryOver": true,
                     *       "failMode": "closed",
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "endpoints": [
                     *           "chat.completions"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "overrides": {
                     *         "alice": "50"
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "amount": "250",
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text",
                     *           "models": [
                     *             "gpt-4o-mini",
                     *             "claude-haiku-*"
                     *           ],
                     *           "downgrade": {
                     *             "gpt-4o": "gpt-4o-mini"
                     *           }
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "The budgets below \"Search\" have 300 USD a month together, more than its own 250 USD",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                        /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft" | "shadow";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /**
                         * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                         * @default false
                         */
                        capToFit: boolean | {
                            /**
                             * @description per answer, besides those of stated thinking; with less left the call is refused
                             * @default 1024
                             */
                            minimumTokens: number;
                            /**
                             * @description also of models that think as long as they like: their answer may be cut off before it begins
                             * @default false
                             */
                            reasoning: boolean;
                        };
                        /**
                         * @description what goes on into the next period; true: all that was not spent, and debt
                         * @default false
                         */
                        carryOver: boolean | {
                            /**
                             * @description of what was not spent
                             * @default 100
                             */
                            percent: number;
                            max?: (string | number) | null;
                            /**
                             * @description also what was spent past the limit
                             * @default true
                             */
                            debt: boolean;
                        };
                        /**
                         * @description what happens while PostgreSQL does not answer and the leases are used up
                         * @default closed
                         */
                        failMode: "closed" | {
                            /**
                             * @description what each gateway may let through while PostgreSQL does not answer
                             * @example 5
                             */
                            openUpTo: string | number;
                        };
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                             * @example [
                             *       "chat.completions"
                             *     ]
                             */
                            endpoints?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @description of a budget for each of many: those that have another amount, at most 1000
                         * @example {
                         *       "alice": "50"
                         *     }
                         */
                        overrides: {
                            [key: string]: string | number;
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all or require-approval says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount with the adjustments in force
                             * @example 80
                             */
                            threshold?: number;
                            /**
                             * @description in place of a percentage, in the currency of the budget
                             * @example 250
                             */
                            amount?: string | number;
                            /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                            actions: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                            /**
                             * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                             * @example [
                             *       "gpt-4o-mini",
                             *       "claude-haiku-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                             * @example {
                             *       "gpt-4o": "gpt-4o-mini"
                             *     }
                             */
                            downgrade?: {
                                [key: string]: string;
                            };
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant; in answers to changes, where there is some */
                        warnings?: components["schemas"]["BudgetWarning"][];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetsHierarchy: {
        parameters: {
            query?: {
                /** @description archived ones too; without them, those below an archived budget are shown below what is above it, as they are held */
                includeInactive?: boolean;
            };
            header?: never;
            path: {
                /** @description whom a budget is for */
                type: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                /** @description of the scope */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "hierarchy": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "name": "Search team",
                     *           "description": "What the search team may spend",
                     *           "organizationId": "acme",
                     *           "scopeType": "team",
                     *           "scopeId": "search",
                     *           "currency": "USD",
                     *           "period": "monthly",
                     *           "timezone": "Europe/Berlin",
                     *           "startDate": "2026-12-01T00:00:00.000Z",
                     *           "endDate": null,
                     *           "recurring": true,
                     *           "mode": "enforced",
                     *           "paused": false,
                     *           "capToFit": true,
                     *           "carryOver": true,
                     *           "failMode": "closed",
                     *           "rateLimits": {
                     *             "requestsPerMinute": 60
                     *           },
                     *           "filters": {
                     *             "providers": [
                     *               "openai"
                     *             ],
                     *             "models": [
                     *               "gpt-*"
                     *             ],
                     *             "endpoints": [
                     *               "chat.completions"
                     *             ],
                     *             "tags": {
                     *               "costCenter": "4711"
                     *             }
                     *           },
                     *           "overrides": {
                     *             "alice": "50"
                     *           },
                     *           "tags": {
                     *             "costCenter": "4711"
                     *           },
                     *           "parentBudgetId": null,
                     *           "createdBy": "ada",
                     *           "amount": "12.5",
                     *           "enforcedLimit": "237.5",
                     *           "alerts": [
                     *             {
                     *               "threshold": 80,
                     *               "amount": "250",
                     *               "actions": [
                     *                 "notify"
                     *               ],
                     *               "notificationChannels": [
                     *                 "text"
                     *               ],
                     *               "message": "text",
                     *               "models": [
                     *                 "gpt-4o-mini",
                     *                 "claude-haiku-*"
                     *               ],
                     *               "downgrade": {
                     *                 "gpt-4o": "gpt-4o-mini"
                     *               }
                     *             }
                     *           ],
                     *           "version": 7,
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "updatedAt": "2026-12-01T00:00:00.000Z",
                     *           "archivedAt": null,
                     *           "warnings": [
                     *             {
                     *               "code": "children_exceed_parent",
                     *               "message": "The budgets below \"Search\" have 300 USD a month together, more than its own 250 USD",
                     *               "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *             }
                     *           ],
                     *           "status": {
                     *             "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *             "subject": "alice",
                     *             "subjects": 1,
                     *             "currentAmount": "112.5",
                     *             "limit": "250",
                     *             "limitParts": {
                     *               "amount": "250",
                     *               "carriedOver": "text",
                     *               "adjustments": "text"
                     *             },
                     *             "enforcedLimit": "250",
                     *             "currency": "USD",
                     *             "percentUsed": 45,
                     *             "remaining": "137.25",
                     *             "held": "0.25",
                     *             "inDoubt": "0",
                     *             "longHeld": "text",
                     *             "leased": "1.5",
                     *             "heldIsUpperBound": false,
                     *             "daysRemaining": 6,
                     *             "burnRate": "4.5",
                     *             "projectedTotal": "139.5",
                     *             "status": "normal",
                     *             "state": "running",
                     *             "activeAlerts": [
                     *               {
                     *                 "threshold": 1,
                     *                 "amount": "250",
                     *                 "triggeredAt": "2026-12-01T00:00:00.000Z",
                     *                 "actions": [
                     *                   "notify"
                     *                 ],
                     *                 "acknowledged": true,
                     *                 "acknowledgedBy": "text",
                     *                 "acknowledgedAt": "2026-12-01T00:00:00.000Z"
                     *               }
                     *             ],
                     *             "periodStart": "2026-12-01T00:00:00.000Z",
                     *             "periodEnd": "2026-12-01T00:00:00.000Z",
                     *             "lastUpdated": "2026-11-24T09:15:00.000Z",
                     *             "ownAmount": "12.5",
                     *             "belowAmount": "100"
                     *           },
                     *           "children": []
                     *         }
                     *       ],
                     *       "count": 1
                     *     }
                     */
                    "application/json": {
                        /** @description the topmost budgets of the scope, the oldest first */
                        hierarchy: components["schemas"]["BudgetNode"][];
                        /** @description of all budgets in all trees */
                        count: number;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetsScope: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description archived ones too */
                includeInactive?: boolean;
                /** @description parentBudgetId, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                parentBudgetId?: string;
            };
            header?: never;
            path: {
                /** @description whom a budget is for */
                type: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                /** @description of the scope */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgets": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "name": "Search team",
                     *           "description": "What the search team may spend",
                     *           "organizationId": "acme",
                     *           "scopeType": "team",
                     *           "scopeId": "search",
                     *           "currency": "USD",
                     *           "period": "monthly",
                     *           "timezone": "Europe/Berlin",
                     *           "startDate": "2026-12-01T00:00:00.000Z",
                     *           "endDate": null,
                     *           "recurring": true,
                     *           "mode": "enforced",
                     *           "paused": false,
                     *           "capToFit": true,
                     *           "carryOver": true,
                     *           "failMode": "closed",
                     *           "rateLimits": {
                     *             "requestsPerMinute": 60
                     *           },
                     *           "filters": {
                     *             "providers": [
                     *               "openai"
                     *             ],
                     *             "models": [
                     *               "gpt-*"
                     *             ],
                     *             "endpoints": [
                     *               "chat.completions"
                     *             ],
                     *             "tags": {
                     *               "costCenter": "4711"
                     *             }
                     *           },
                     *           "overrides": {
                     *             "alice": "50"
                     *           },
                     *           "tags": {
                     *             "costCenter": "4711"
                     *           },
                     *           "parentBudgetId": null,
                     *           "createdBy": "ada",
                     *           "amount": "12.5",
                     *           "enforcedLimit": "237.5",
                     *           "alerts": [
                     *             {
                     *               "threshold": 80,
                     *               "amount": "250",
                     *               "actions": [
                     *                 "notify"
                     *               ],
                     *               "notificationChannels": [
                     *                 "text"
                     *               ],
                     *               "message": "text",
                     *               "models": [
                     *                 "gpt-4o-mini",
                     *                 "claude-haiku-*"
                     *               ],
                     *               "downgrade": {
                     *                 "gpt-4o": "gpt-4o-mini"
                     *               }
                     *             }
                     *           ],
                     *           "version": 7,
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "updatedAt": "2026-12-01T00:00:00.000Z",
                     *           "archivedAt": null,
                     *           "warnings": [
                     *             {
                     *               "code": "children_exceed_parent",
                     *               "message": "The budgets below \"Search\" have 300 USD a month together, more than its own 250 USD",
                     *               "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null,
                     *       "total": 1
                     *     }
                     */
                    "application/json": {
                        budgets: {
                            /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                            id: string;
                            /** @description for people */
                            name: string;
                            description: string | null;
                            organizationId: string | null;
                            /**
                             * @description whom a budget is for
                             * @enum {unknown}
                             */
                            scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                            /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                            scopeId: string;
                            /**
                             * @description ISO 4217
                             * @example USD
                             */
                            currency: string;
                            /**
                             * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                             * @enum {unknown}
                             */
                            period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                            /**
                             * @description IANA time zone
                             * @default UTC
                             * @example Europe/Berlin
                             */
                            timezone: string;
                            /**
                             * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            startDate: string;
                            endDate: string | null;
                            /** @description default true, false for custom; false: only the period that holds startDate */
                            recurring: boolean;
                            /**
                             * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                             * @enum {unknown}
                             */
                            mode: "enforced" | "soft" | "shadow";
                            /**
                             * @description refuses new calls until it is resumed
                             * @default false
                             */
                            paused: boolean;
                            /**
                             * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                             * @default false
                             */
                            capToFit: boolean | {
                                /**
                                 * @description per answer, besides those of stated thinking; with less left the call is refused
                                 * @default 1024
                                 */
                                minimumTokens: number;
                                /**
                                 * @description also of models that think as long as they like: their answer may be cut off before it begins
                                 * @default false
                                 */
                                reasoning: boolean;
                            };
                            /**
                             * @description what goes on into the next period; true: all that was not spent, and debt
                             * @default false
                             */
                            carryOver: boolean | {
                                /**
                                 * @description of what was not spent
                                 * @default 100
                                 */
                                percent: number;
                                max?: (string | number) | null;
                                /**
                                 * @description also what was spent past the limit
                                 * @default true
                                 */
                                debt: boolean;
                            };
                            /**
                             * @description what happens while PostgreSQL does not answer and the leases are used up
                             * @default closed
                             */
                            failMode: "closed" | {
                                /**
                                 * @description what each gateway may let through while PostgreSQL does not answer
                                 * @example 5
                                 */
                                openUpTo: string | number;
                            };
                            rateLimits: {
                                requestsPerMinute?: number | null;
                                tokensPerMinute?: number | null;
                                concurrentCalls?: number | null;
                            } | null;
                            /** @description the budget applies to calls that pass all of them */
                            filters: {
                                /**
                                 * @example [
                                 *       "openai"
                                 *     ]
                                 */
                                providers?: string[];
                                /**
                                 * @description names, or patterns with *
                                 * @example [
                                 *       "gpt-*"
                                 *     ]
                                 */
                                models?: string[];
                                /**
                                 * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                                 * @example [
                                 *       "chat.completions"
                                 *     ]
                                 */
                                endpoints?: string[];
                                /**
                                 * @example {
                                 *       "costCenter": "4711"
                                 *     }
                                 */
                                tags?: {
                                    [key: string]: string;
                                };
                            };
                            /**
                             * @description of a budget for each of many: those that have another amount, at most 1000
                             * @example {
                             *       "alice": "50"
                             *     }
                             */
                            overrides: {
                                [key: string]: string | number;
                            };
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags: {
                                [key: string]: string;
                            };
                            parentBudgetId: string | null;
                            createdBy: string | null;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /**
                             * @description the amount, or less where block-all or require-approval says so
                             * @example 237.5
                             */
                            enforcedLimit: string;
                            alerts: {
                                /**
                                 * @description percent of the amount with the adjustments in force
                                 * @example 80
                                 */
                                threshold?: number;
                                /**
                                 * @description in place of a percentage, in the currency of the budget
                                 * @example 250
                                 */
                                amount?: string | number;
                                /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                                actions: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                                notificationChannels: string[];
                                message: string | null;
                                /**
                                 * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                                 * @example [
                                 *       "gpt-4o-mini",
                                 *       "claude-haiku-*"
                                 *     ]
                                 */
                                models?: string[];
                                /**
                                 * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                                 * @example {
                                 *       "gpt-4o": "gpt-4o-mini"
                                 *     }
                                 */
                                downgrade?: {
                                    [key: string]: string;
                                };
                            }[];
                            /** @description also the ETag; grows with every change */
                            version: number;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            createdAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            updatedAt: string;
                            archivedAt: string | null;
                            /** @description what is allowed, and perhaps not meant; in answers to changes, where there is some */
                            warnings?: components["schemas"]["BudgetWarning"][];
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                        /** @description of all pages, where total=true asks for it */
                        total?: number;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudget: {
        parameters: {
            query?: never;
            header?: {
                /** @description an ETag that is known already: 304 where it is still so */
                "if-none-match"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "capToFit": true,
                     *       "carryOver": true,
                     *       "failMode": "closed",
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "endpoints": [
                     *           "chat.completions"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "overrides": {
                     *         "alice": "50"
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "amount": "250",
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text",
                     *           "models": [
                     *             "gpt-4o-mini",
                     *             "claude-haiku-*"
                     *           ],
                     *           "downgrade": {
                     *             "gpt-4o": "gpt-4o-mini"
                     *           }
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "The budgets below \"Search\" have 300 USD a month together, more than its own 250 USD",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                        /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft" | "shadow";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /**
                         * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                         * @default false
                         */
                        capToFit: boolean | {
                            /**
                             * @description per answer, besides those of stated thinking; with less left the call is refused
                             * @default 1024
                             */
                            minimumTokens: number;
                            /**
                             * @description also of models that think as long as they like: their answer may be cut off before it begins
                             * @default false
                             */
                            reasoning: boolean;
                        };
                        /**
                         * @description what goes on into the next period; true: all that was not spent, and debt
                         * @default false
                         */
                        carryOver: boolean | {
                            /**
                             * @description of what was not spent
                             * @default 100
                             */
                            percent: number;
                            max?: (string | number) | null;
                            /**
                             * @description also what was spent past the limit
                             * @default true
                             */
                            debt: boolean;
                        };
                        /**
                         * @description what happens while PostgreSQL does not answer and the leases are used up
                         * @default closed
                         */
                        failMode: "closed" | {
                            /**
                             * @description what each gateway may let through while PostgreSQL does not answer
                             * @example 5
                             */
                            openUpTo: string | number;
                        };
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                             * @example [
                             *       "chat.completions"
                             *     ]
                             */
                            endpoints?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @description of a budget for each of many: those that have another amount, at most 1000
                         * @example {
                         *       "alice": "50"
                         *     }
                         */
                        overrides: {
                            [key: string]: string | number;
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all or require-approval says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount with the adjustments in force
                             * @example 80
                             */
                            threshold?: number;
                            /**
                             * @description in place of a percentage, in the currency of the budget
                             * @example 250
                             */
                            amount?: string | number;
                            /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                            actions: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                            /**
                             * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                             * @example [
                             *       "gpt-4o-mini",
                             *       "claude-haiku-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                             * @example {
                             *       "gpt-4o": "gpt-4o-mini"
                             *     }
                             */
                            downgrade?: {
                                [key: string]: string;
                            };
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant; in answers to changes, where there is some */
                        warnings?: components["schemas"]["BudgetWarning"][];
                    };
                };
            };
            /** @description Default Response */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    putBudget: {
        parameters: {
            query?: never;
            header?: {
                /** @description the ETag that the change is based on, or *; another version by now: 412, e.g. "42" */
                "if-match"?: string;
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        /** @description absent fields stay, null takes away what may be absent */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "amount": "300",
                 *       "paused": false
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name?: string;
                    description?: string | null;
                    organizationId?: string | null;
                    /**
                     * @description whom a budget is for
                     * @enum {unknown}
                     */
                    scopeType?: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                    /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                    scopeId?: string;
                    /**
                     * @description ISO 4217
                     * @example USD
                     */
                    currency?: string;
                    /**
                     * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                     * @enum {unknown}
                     */
                    period?: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                    /**
                     * @description IANA time zone
                     * @default UTC
                     * @example Europe/Berlin
                     */
                    timezone?: string;
                    /**
                     * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                     * @example 2026-12-01T00:00:00.000Z
                     */
                    startDate?: string;
                    endDate?: string | null;
                    /** @description default true, false for custom; false: only the period that holds startDate */
                    recurring?: boolean;
                    /**
                     * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                     * @enum {unknown}
                     */
                    mode?: "enforced" | "soft" | "shadow";
                    /**
                     * @description refuses new calls until it is resumed
                     * @default false
                     */
                    paused?: boolean;
                    /**
                     * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                     * @default false
                     */
                    capToFit?: boolean | {
                        /**
                         * @description per answer, besides those of stated thinking; with less left the call is refused
                         * @default 1024
                         */
                        minimumTokens?: number;
                        /**
                         * @description also of models that think as long as they like: their answer may be cut off before it begins
                         * @default false
                         */
                        reasoning?: boolean;
                    };
                    /**
                     * @description what goes on into the next period; true: all that was not spent, and debt
                     * @default false
                     */
                    carryOver?: boolean | {
                        /**
                         * @description of what was not spent
                         * @default 100
                         */
                        percent?: number;
                        max?: (string | number) | null;
                        /**
                         * @description also what was spent past the limit
                         * @default true
                         */
                        debt?: boolean;
                    };
                    /**
                     * @description what happens while PostgreSQL does not answer and the leases are used up
                     * @default closed
                     */
                    failMode?: "closed" | {
                        /**
                         * @description what each gateway may let through while PostgreSQL does not answer
                         * @example 5
                         */
                        openUpTo: string | number;
                    };
                    rateLimits?: {
                        requestsPerMinute?: number | null;
                        tokensPerMinute?: number | null;
                        concurrentCalls?: number | null;
                    } | null;
                    /** @description the budget applies to calls that pass all of them */
                    filters?: {
                        /**
                         * @example [
                         *       "openai"
                         *     ]
                         */
                        providers?: string[];
                        /**
                         * @description names, or patterns with *
                         * @example [
                         *       "gpt-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                         * @example [
                         *       "chat.completions"
                         *     ]
                         */
                        endpoints?: string[];
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags?: {
                            [key: string]: string;
                        };
                    };
                    /**
                     * @description of a budget for each of many: those that have another amount, at most 1000
                     * @example {
                     *       "alice": "50"
                     *     }
                     */
                    overrides?: {
                        [key: string]: string | number;
                    };
                    /**
                     * @example {
                     *       "costCenter": "4711"
                     *     }
                     */
                    tags?: {
                        [key: string]: string;
                    };
                    parentBudgetId?: string | null;
                    createdBy?: string | null;
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount?: string | number;
                    alerts?: {
                        /**
                         * @description percent of the amount with the adjustments in force
                         * @example 80
                         */
                        threshold?: number;
                        /**
                         * @description in place of a percentage, in the currency of the budget
                         * @example 250
                         */
                        amount?: string | number;
                        /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                        actions?: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                        notificationChannels?: string[];
                        message?: string | null;
                        /**
                         * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                         * @example [
                         *       "gpt-4o-mini",
                         *       "claude-haiku-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                         * @example {
                         *       "gpt-4o": "gpt-4o-mini"
                         *     }
                         */
                        downgrade?: {
                            [key: string]: string;
                        };
                    }[];
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "capToFit": true,
                     *       "carryOver": true,
                     *       "failMode": "closed",
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "endpoints": [
                     *           "chat.completions"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "overrides": {
                     *         "alice": "50"
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "amount": "250",
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text",
                     *           "models": [
                     *             "gpt-4o-mini",
                     *             "claude-haiku-*"
                     *           ],
                     *           "downgrade": {
                     *             "gpt-4o": "gpt-4o-mini"
                     *           }
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "The budgets below \"Search\" have 300 USD a month together, more than its own 250 USD",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                        /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft" | "shadow";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /**
                         * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                         * @default false
                         */
                        capToFit: boolean | {
                            /**
                             * @description per answer, besides those of stated thinking; with less left the call is refused
                             * @default 1024
                             */
                            minimumTokens: number;
                            /**
                             * @description also of models that think as long as they like: their answer may be cut off before it begins
                             * @default false
                             */
                            reasoning: boolean;
                        };
                        /**
                         * @description what goes on into the next period; true: all that was not spent, and debt
                         * @default false
                         */
                        carryOver: boolean | {
                            /**
                             * @description of what was not spent
                             * @default 100
                             */
                            percent: number;
                            max?: (string | number) | null;
                            /**
                             * @description also what was spent past the limit
                             * @default true
                             */
                            debt: boolean;
                        };
                        /**
                         * @description what happens while PostgreSQL does not answer and the leases are used up
                         * @default closed
                         */
                        failMode: "closed" | {
                            /**
                             * @description what each gateway may let through while PostgreSQL does not answer
                             * @example 5
                             */
                            openUpTo: string | number;
                        };
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                             * @example [
                             *       "chat.completions"
                             *     ]
                             */
                            endpoints?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @description of a budget for each of many: those that have another amount, at most 1000
                         * @example {
                         *       "alice": "50"
                         *     }
                         */
                        overrides: {
                            [key: string]: string | number;
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all or require-approval says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount with the adjustments in force
                             * @example 80
                             */
                            threshold?: number;
                            /**
                             * @description in place of a percentage, in the currency of the budget
                             * @example 250
                             */
                            amount?: string | number;
                            /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                            actions: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                            /**
                             * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                             * @example [
                             *       "gpt-4o-mini",
                             *       "claude-haiku-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                             * @example {
                             *       "gpt-4o": "gpt-4o-mini"
                             *     }
                             */
                            downgrade?: {
                                [key: string]: string;
                            };
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant; in answers to changes, where there is some */
                        warnings?: components["schemas"]["BudgetWarning"][];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    deleteBudget: {
        parameters: {
            query?: never;
            header?: {
                /** @description the ETag that the change is based on, or *; another version by now: 412, e.g. "42" */
                "if-match"?: string;
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done; there is nothing to tell. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    patchBudget: {
        parameters: {
            query?: never;
            header?: {
                /** @description the ETag that the change is based on, or *; another version by now: 412, e.g. "42" */
                "if-match"?: string;
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        /** @description absent fields stay, null takes away what may be absent */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "amount": "300",
                 *       "paused": false
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name?: string;
                    description?: string | null;
                    organizationId?: string | null;
                    /**
                     * @description whom a budget is for
                     * @enum {unknown}
                     */
                    scopeType?: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                    /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                    scopeId?: string;
                    /**
                     * @description ISO 4217
                     * @example USD
                     */
                    currency?: string;
                    /**
                     * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                     * @enum {unknown}
                     */
                    period?: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                    /**
                     * @description IANA time zone
                     * @default UTC
                     * @example Europe/Berlin
                     */
                    timezone?: string;
                    /**
                     * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                     * @example 2026-12-01T00:00:00.000Z
                     */
                    startDate?: string;
                    endDate?: string | null;
                    /** @description default true, false for custom; false: only the period that holds startDate */
                    recurring?: boolean;
                    /**
                     * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                     * @enum {unknown}
                     */
                    mode?: "enforced" | "soft" | "shadow";
                    /**
                     * @description refuses new calls until it is resumed
                     * @default false
                     */
                    paused?: boolean;
                    /**
                     * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                     * @default false
                     */
                    capToFit?: boolean | {
                        /**
                         * @description per answer, besides those of stated thinking; with less left the call is refused
                         * @default 1024
                         */
                        minimumTokens?: number;
                        /**
                         * @description also of models that think as long as they like: their answer may be cut off before it begins
                         * @default false
                         */
                        reasoning?: boolean;
                    };
                    /**
                     * @description what goes on into the next period; true: all that was not spent, and debt
                     * @default false
                     */
                    carryOver?: boolean | {
                        /**
                         * @description of what was not spent
                         * @default 100
                         */
                        percent?: number;
                        max?: (string | number) | null;
                        /**
                         * @description also what was spent past the limit
                         * @default true
                         */
                        debt?: boolean;
                    };
                    /**
                     * @description what happens while PostgreSQL does not answer and the leases are used up
                     * @default closed
                     */
                    failMode?: "closed" | {
                        /**
                         * @description what each gateway may let through while PostgreSQL does not answer
                         * @example 5
                         */
                        openUpTo: string | number;
                    };
                    rateLimits?: {
                        requestsPerMinute?: number | null;
                        tokensPerMinute?: number | null;
                        concurrentCalls?: number | null;
                    } | null;
                    /** @description the budget applies to calls that pass all of them */
                    filters?: {
                        /**
                         * @example [
                         *       "openai"
                         *     ]
                         */
                        providers?: string[];
                        /**
                         * @description names, or patterns with *
                         * @example [
                         *       "gpt-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                         * @example [
                         *       "chat.completions"
                         *     ]
                         */
                        endpoints?: string[];
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags?: {
                            [key: string]: string;
                        };
                    };
                    /**
                     * @description of a budget for each of many: those that have another amount, at most 1000
                     * @example {
                     *       "alice": "50"
                     *     }
                     */
                    overrides?: {
                        [key: string]: string | number;
                    };
                    /**
                     * @example {
                     *       "costCenter": "4711"
                     *     }
                     */
                    tags?: {
                        [key: string]: string;
                    };
                    parentBudgetId?: string | null;
                    createdBy?: string | null;
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount?: string | number;
                    alerts?: {
                        /**
                         * @description percent of the amount with the adjustments in force
                         * @example 80
                         */
                        threshold?: number;
                        /**
                         * @description in place of a percentage, in the currency of the budget
                         * @example 250
                         */
                        amount?: string | number;
                        /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                        actions?: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                        notificationChannels?: string[];
                        message?: string | null;
                        /**
                         * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                         * @example [
                         *       "gpt-4o-mini",
                         *       "claude-haiku-*"
                         *     ]
                         */
                        models?: string[];
                        /**
                         * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                         * @example {
                         *       "gpt-4o": "gpt-4o-mini"
                         *     }
                         */
                        downgrade?: {
                            [key: string]: string;
                        };
                    }[];
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "capToFit": true,
                     *       "carryOver": true,
                     *       "failMode": "closed",
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "endpoints": [
                     *           "chat.completions"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "overrides": {
                     *         "alice": "50"
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "amount": "250",
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text",
                     *           "models": [
                     *             "gpt-4o-mini",
                     *             "claude-haiku-*"
                     *           ],
                     *           "downgrade": {
                     *             "gpt-4o": "gpt-4o-mini"
                     *           }
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "The budgets below \"Search\" have 300 USD a month together, more than its own 250 USD",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                        /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft" | "shadow";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /**
                         * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                         * @default false
                         */
                        capToFit: boolean | {
                            /**
                             * @description per answer, besides those of stated thinking; with less left the call is refused
                             * @default 1024
                             */
                            minimumTokens: number;
                            /**
                             * @description also of models that think as long as they like: their answer may be cut off before it begins
                             * @default false
                             */
                            reasoning: boolean;
                        };
                        /**
                         * @description what goes on into the next period; true: all that was not spent, and debt
                         * @default false
                         */
                        carryOver: boolean | {
                            /**
                             * @description of what was not spent
                             * @default 100
                             */
                            percent: number;
                            max?: (string | number) | null;
                            /**
                             * @description also what was spent past the limit
                             * @default true
                             */
                            debt: boolean;
                        };
                        /**
                         * @description what happens while PostgreSQL does not answer and the leases are used up
                         * @default closed
                         */
                        failMode: "closed" | {
                            /**
                             * @description what each gateway may let through while PostgreSQL does not answer
                             * @example 5
                             */
                            openUpTo: string | number;
                        };
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                             * @example [
                             *       "chat.completions"
                             *     ]
                             */
                            endpoints?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @description of a budget for each of many: those that have another amount, at most 1000
                         * @example {
                         *       "alice": "50"
                         *     }
                         */
                        overrides: {
                            [key: string]: string | number;
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all or require-approval says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount with the adjustments in force
                             * @example 80
                             */
                            threshold?: number;
                            /**
                             * @description in place of a percentage, in the currency of the budget
                             * @example 250
                             */
                            amount?: string | number;
                            /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                            actions: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                            /**
                             * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                             * @example [
                             *       "gpt-4o-mini",
                             *       "claude-haiku-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                             * @example {
                             *       "gpt-4o": "gpt-4o-mini"
                             *     }
                             */
                            downgrade?: {
                                [key: string]: string;
                            };
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant; in answers to changes, where there is some */
                        warnings?: components["schemas"]["BudgetWarning"][];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetAccounts: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accounts": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "subject": "alice",
                     *           "subjects": 1,
                     *           "currentAmount": "112.5",
                     *           "limit": "250",
                     *           "limitParts": {
                     *             "amount": "250",
                     *             "carriedOver": "text",
                     *             "adjustments": "text"
                     *           },
                     *           "enforcedLimit": "250",
                     *           "currency": "USD",
                     *           "percentUsed": 45,
                     *           "remaining": "137.25",
                     *           "held": "0.25",
                     *           "inDoubt": "0",
                     *           "longHeld": "text",
                     *           "leased": "1.5",
                     *           "heldIsUpperBound": false,
                     *           "daysRemaining": 6,
                     *           "burnRate": "4.5",
                     *           "projectedTotal": "139.5",
                     *           "status": "normal",
                     *           "state": "running",
                     *           "activeAlerts": [
                     *             {
                     *               "threshold": 1,
                     *               "amount": "250",
                     *               "triggeredAt": "2026-12-01T00:00:00.000Z",
                     *               "actions": [
                     *                 "notify"
                     *               ],
                     *               "acknowledged": true,
                     *               "acknowledgedBy": "text",
                     *               "acknowledgedAt": "2026-12-01T00:00:00.000Z"
                     *             }
                     *           ],
                     *           "periodStart": "2026-12-01T00:00:00.000Z",
                     *           "periodEnd": "2026-12-01T00:00:00.000Z",
                     *           "lastUpdated": "2026-11-24T09:15:00.000Z"
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        accounts: components["schemas"]["BudgetStatus"][];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetAdjustments: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description only those that have not ended */
                current?: boolean;
            };
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "adjustments": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "subject": "text",
                     *           "kind": "increase",
                     *           "amount": "50",
                     *           "from": "2026-12-01T00:00:00.000Z",
                     *           "to": "2027-01-01T00:00:00.000Z",
                     *           "reason": "text",
                     *           "counterpartBudgetId": "text",
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "createdBy": "ada",
                     *           "revokedAt": null,
                     *           "revokedBy": "text"
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        adjustments: components["schemas"]["Adjustment"][];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgetAdjustments: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "kind": "top-up",
                 *       "amount": "50",
                 *       "reason": "launch week"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description increase: for a time; top-up: for the running period
                     * @enum {unknown}
                     */
                    kind: "increase" | "top-up";
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount: string | number;
                    /**
                     * @description RFC 3339: of an increase; now if not given
                     * @example 2026-12-01T00:00:00Z
                     */
                    from?: string;
                    /**
                     * @description RFC 3339: of an increase, which must have one
                     * @example 2026-12-01T00:00:00Z
                     */
                    to?: string;
                    /**
                     * @description of a budget for each of many, for whom; for all of them if not given
                     * @example ada
                     */
                    subject?: string;
                    /**
                     * @description why, for people
                     * @example launch week
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description In force from `from` on, until `to` or until it is revoked. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "subject": "text",
                     *       "kind": "increase",
                     *       "amount": "50",
                     *       "from": "2026-12-01T00:00:00.000Z",
                     *       "to": "2027-01-01T00:00:00.000Z",
                     *       "reason": "text",
                     *       "counterpartBudgetId": "text",
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "createdBy": "ada",
                     *       "revokedAt": null,
                     *       "revokedBy": "text"
                     *     }
                     */
                    "application/json": components["schemas"]["Adjustment"];
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    deleteBudgetAdjustment: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
                /** @description UUID */
                adjustmentId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done; there is nothing to tell. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgetAlertAcknowledge: {
        parameters: {
            query?: {
                /** @description of a budget for each of many: whose account, e.g. alice */
                subject?: string;
            };
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
                /** @description percent, as in activeAlerts, or amount: and the amount */
                threshold: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A threshold that was crossed in a period. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "threshold": 1,
                     *       "amount": "250",
                     *       "triggeredAt": "2026-12-01T00:00:00.000Z",
                     *       "actions": [
                     *         "notify"
                     *       ],
                     *       "acknowledged": true,
                     *       "acknowledgedBy": "text",
                     *       "acknowledgedAt": "2026-12-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["ActiveAlert"];
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgetCheckConstraints: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        /** @description an amount, or a call that the catalog prices at the most it can cost */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "provider": "openai",
                 *       "model": "gpt-4o",
                 *       "inputTokens": 2000,
                 *       "outputTokens": 500
                 *     }
                 */
                "application/json": components["schemas"]["AmountQuestion"] | components["schemas"]["CallQuestion"];
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "estimatedCost": "0.0125",
                     *       "currency": "USD",
                     *       "canProceed": true,
                     *       "code": "no_budget",
                     *       "reason": "Budget \"Search team\" (team search) has room for it: 137.25 USD of 250 USD remain.",
                     *       "retryable": true,
                     *       "decidingBudgetId": "text",
                     *       "resetsAt": "2026-12-01T00:00:00.000Z",
                     *       "thresholds": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "threshold": 1,
                     *           "amount": "250",
                     *           "actions": [
                     *             "notify"
                     *           ]
                     *         }
                     *       ],
                     *       "suggestedActions": [
                     *         "Set max_tokens to 300 or less.",
                     *         "Use the model gpt-4o-mini: the same tokens fit at its price."
                     *       ],
                     *       "chain": [
                     *         {
                     *           "visible": true,
                     *           "canProceed": true,
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "name": "Search team",
                     *           "scopeType": "team",
                     *           "scopeId": "search",
                     *           "subject": "text",
                     *           "state": "running",
                     *           "mode": "enforced",
                     *           "currency": "USD",
                     *           "estimatedCost": "0.0125",
                     *           "limit": "250",
                     *           "currentAmount": "12.5",
                     *           "held": "12.5",
                     *           "inDoubt": "12.5",
                     *           "leased": "12.5",
                     *           "heldIsUpperBound": false,
                     *           "remaining": "12.5",
                     *           "resetsAt": "2026-12-01T00:00:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        budgetId: string;
                        /**
                         * @description as asked, or what the catalog makes of the call
                         * @example 0.0125
                         */
                        estimatedCost: string;
                        currency: string;
                        /** @description whether a hold of so much on this budget and all above it would be granted now, if nothing else happens */
                        canProceed: boolean;
                        code: ("no_budget" | "budget_paused" | "approval_required" | "quote_exceeds_budget" | "budget_exhausted" | "budget_in_doubt" | "budget_held" | "budget_contention") | null;
                        /** @example Budget "Search team" (team search) has room for it: 137.25 USD of 250 USD remain. */
                        reason: string;
                        /** @description true: only open calls are in the way (contention); false: it can proceed, or the refusal is final */
                        retryable: boolean;
                        decidingBudgetId: string | null;
                        resetsAt: string | null;
                        /** @description of the whole chain: not crossed yet, and crossed if it costs all of the estimate */
                        thresholds: {
                            budgetId: string;
                            threshold: number | null;
                            amount: string | null;
                            /**
                             * @example [
                             *       "notify"
                             *     ]
                             */
                            actions: string[];
                        }[];
                        /**
                         * @description what would help, each by itself, but for several raises and approvals, which help together
                         * @example [
                         *       "Set max_tokens to 300 or less.",
                         *       "Use the model gpt-4o-mini: the same tokens fit at its price."
                         *     ]
                         */
                        suggestedActions: string[];
                        /** @description the budget, the one above it, and so on to the topmost */
                        chain: components["schemas"]["ConstraintLink"][];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgetRefreshCache: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "The cache agrees with the records of 3 accounts."
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description for people
                         * @example The cache agrees with the records of 3 accounts.
                         */
                        message: string;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgetRestore: {
        parameters: {
            query?: never;
            header?: {
                /** @description the ETag that the change is based on, or *; another version by now: 412, e.g. "42" */
                "if-match"?: string;
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "name": "Search team",
                     *       "description": "What the search team may spend",
                     *       "organizationId": "acme",
                     *       "scopeType": "team",
                     *       "scopeId": "search",
                     *       "currency": "USD",
                     *       "period": "monthly",
                     *       "timezone": "Europe/Berlin",
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": null,
                     *       "recurring": true,
                     *       "mode": "enforced",
                     *       "paused": false,
                     *       "capToFit": true,
                     *       "carryOver": true,
                     *       "failMode": "closed",
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "filters": {
                     *         "providers": [
                     *           "openai"
                     *         ],
                     *         "models": [
                     *           "gpt-*"
                     *         ],
                     *         "endpoints": [
                     *           "chat.completions"
                     *         ],
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "overrides": {
                     *         "alice": "50"
                     *       },
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "parentBudgetId": null,
                     *       "createdBy": "ada",
                     *       "amount": "12.5",
                     *       "enforcedLimit": "237.5",
                     *       "alerts": [
                     *         {
                     *           "threshold": 80,
                     *           "amount": "250",
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "notificationChannels": [
                     *             "text"
                     *           ],
                     *           "message": "text",
                     *           "models": [
                     *             "gpt-4o-mini",
                     *             "claude-haiku-*"
                     *           ],
                     *           "downgrade": {
                     *             "gpt-4o": "gpt-4o-mini"
                     *           }
                     *         }
                     *       ],
                     *       "version": 7,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "archivedAt": null,
                     *       "warnings": [
                     *         {
                     *           "code": "children_exceed_parent",
                     *           "message": "The budgets below \"Search\" have 300 USD a month together, more than its own 250 USD",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                        id: string;
                        /** @description for people */
                        name: string;
                        description: string | null;
                        organizationId: string | null;
                        /**
                         * @description whom a budget is for
                         * @enum {unknown}
                         */
                        scopeType: "organization" | "team" | "user" | "project" | "key" | "session" | "tag" | "endUser";
                        /** @description of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own */
                        scopeId: string;
                        /**
                         * @description ISO 4217
                         * @example USD
                         */
                        currency: string;
                        /**
                         * @description by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again
                         * @enum {unknown}
                         */
                        period: "daily" | "weekly" | "monthly" | "quarterly" | "annual" | "custom";
                        /**
                         * @description IANA time zone
                         * @default UTC
                         * @example Europe/Berlin
                         */
                        timezone: string;
                        /**
                         * @description RFC 3339, or a day, which begins in the time zone; answered in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        endDate: string | null;
                        /** @description default true, false for custom; false: only the period that holds startDate */
                        recurring: boolean;
                        /**
                         * @description soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given
                         * @enum {unknown}
                         */
                        mode: "enforced" | "soft" | "shadow";
                        /**
                         * @description refuses new calls until it is resumed
                         * @default false
                         */
                        paused: boolean;
                        /**
                         * @description lowers the output limit of a call that does not fit to what is left; true: with the defaults
                         * @default false
                         */
                        capToFit: boolean | {
                            /**
                             * @description per answer, besides those of stated thinking; with less left the call is refused
                             * @default 1024
                             */
                            minimumTokens: number;
                            /**
                             * @description also of models that think as long as they like: their answer may be cut off before it begins
                             * @default false
                             */
                            reasoning: boolean;
                        };
                        /**
                         * @description what goes on into the next period; true: all that was not spent, and debt
                         * @default false
                         */
                        carryOver: boolean | {
                            /**
                             * @description of what was not spent
                             * @default 100
                             */
                            percent: number;
                            max?: (string | number) | null;
                            /**
                             * @description also what was spent past the limit
                             * @default true
                             */
                            debt: boolean;
                        };
                        /**
                         * @description what happens while PostgreSQL does not answer and the leases are used up
                         * @default closed
                         */
                        failMode: "closed" | {
                            /**
                             * @description what each gateway may let through while PostgreSQL does not answer
                             * @example 5
                             */
                            openUpTo: string | number;
                        };
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        /** @description the budget applies to calls that pass all of them */
                        filters: {
                            /**
                             * @example [
                             *       "openai"
                             *     ]
                             */
                            providers?: string[];
                            /**
                             * @description names, or patterns with *
                             * @example [
                             *       "gpt-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description names, or patterns with *, as usage events have them; that of long holds is `holds`
                             * @example [
                             *       "chat.completions"
                             *     ]
                             */
                            endpoints?: string[];
                            /**
                             * @example {
                             *       "costCenter": "4711"
                             *     }
                             */
                            tags?: {
                                [key: string]: string;
                            };
                        };
                        /**
                         * @description of a budget for each of many: those that have another amount, at most 1000
                         * @example {
                         *       "alice": "50"
                         *     }
                         */
                        overrides: {
                            [key: string]: string | number;
                        };
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags: {
                            [key: string]: string;
                        };
                        parentBudgetId: string | null;
                        createdBy: string | null;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /**
                         * @description the amount, or less where block-all or require-approval says so
                         * @example 237.5
                         */
                        enforcedLimit: string;
                        alerts: {
                            /**
                             * @description percent of the amount with the adjustments in force
                             * @example 80
                             */
                            threshold?: number;
                            /**
                             * @description in place of a percentage, in the currency of the budget
                             * @example 250
                             */
                            amount?: string | number;
                            /** @description block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is approved; the others judge by what is spent */
                            actions: ("notify" | "restrict-models" | "require-approval" | "auto-downgrade" | "block-all")[];
                            notificationChannels: string[];
                            message: string | null;
                            /**
                             * @description of restrict-models: names, or patterns with *, of the models that are still allowed
                             * @example [
                             *       "gpt-4o-mini",
                             *       "claude-haiku-*"
                             *     ]
                             */
                            models?: string[];
                            /**
                             * @description of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead
                             * @example {
                             *       "gpt-4o": "gpt-4o-mini"
                             *     }
                             */
                            downgrade?: {
                                [key: string]: string;
                            };
                        }[];
                        /** @description also the ETag; grows with every change */
                        version: number;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        archivedAt: string | null;
                        /** @description what is allowed, and perhaps not meant; in answers to changes, where there is some */
                        warnings?: components["schemas"]["BudgetWarning"][];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetStatus: {
        parameters: {
            query?: {
                /** @description of a budget for each of many: whose account, e.g. alice */
                subject?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The running period; of a budget that has not begun its first, of one that has ended its last. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "subject": "alice",
                     *       "subjects": 1,
                     *       "currentAmount": "112.5",
                     *       "limit": "250",
                     *       "limitParts": {
                     *         "amount": "250",
                     *         "carriedOver": "text",
                     *         "adjustments": "text"
                     *       },
                     *       "enforcedLimit": "250",
                     *       "currency": "USD",
                     *       "percentUsed": 45,
                     *       "remaining": "137.25",
                     *       "held": "0.25",
                     *       "inDoubt": "0",
                     *       "longHeld": "text",
                     *       "leased": "1.5",
                     *       "heldIsUpperBound": false,
                     *       "daysRemaining": 6,
                     *       "burnRate": "4.5",
                     *       "projectedTotal": "139.5",
                     *       "status": "normal",
                     *       "state": "running",
                     *       "activeAlerts": [
                     *         {
                     *           "threshold": 1,
                     *           "amount": "250",
                     *           "triggeredAt": "2026-12-01T00:00:00.000Z",
                     *           "actions": [
                     *             "notify"
                     *           ],
                     *           "acknowledged": true,
                     *           "acknowledgedBy": "text",
                     *           "acknowledgedAt": "2026-12-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "periodStart": "2026-12-01T00:00:00.000Z",
                     *       "periodEnd": "2026-12-01T00:00:00.000Z",
                     *       "lastUpdated": "2026-11-24T09:15:00.000Z"
                     *     }
                     */
                    "application/json": components["schemas"]["BudgetStatus"];
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgetTransfers: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "toBudgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                 *       "amount": "20",
                 *       "reason": "moved to search"
                 *     }
                 */
                "application/json": {
                    /** @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                    toBudgetId: string;
                    /**
                     * @description more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its shortest decimal form
                     * @example 12.50
                     */
                    amount: string | number;
                    /**
                     * @description why, for people
                     * @example launch week
                     */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "from": {
                     *         "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *         "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *         "subject": "text",
                     *         "kind": "increase",
                     *         "amount": "50",
                     *         "from": "2026-12-01T00:00:00.000Z",
                     *         "to": "2027-01-01T00:00:00.000Z",
                     *         "reason": "text",
                     *         "counterpartBudgetId": "text",
                     *         "createdAt": "2026-12-01T00:00:00.000Z",
                     *         "createdBy": "ada",
                     *         "revokedAt": null,
                     *         "revokedBy": "text"
                     *       },
                     *       "to": {
                     *         "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *         "budgetId": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *         "subject": "text",
                     *         "kind": "increase",
                     *         "amount": "50",
                     *         "from": "2026-12-01T00:00:00.000Z",
                     *         "to": "2027-01-01T00:00:00.000Z",
                     *         "reason": "text",
                     *         "counterpartBudgetId": "text",
                     *         "createdAt": "2026-12-01T00:00:00.000Z",
                     *         "createdBy": "ada",
                     *         "revokedAt": null,
                     *         "revokedBy": "text"
                     *       }
                     *     }
                     */
                    "application/json": {
                        from: components["schemas"]["Adjustment"];
                        to: components["schemas"]["Adjustment"];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["budget_contention.too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetUsage: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description of a budget for each of many: whose account, e.g. alice */
                subject?: string;
                /** @description RFC 3339: what counts from then on, e.g. 2026-11-01T00:00:00Z */
                from?: string;
                /** @description RFC 3339: what counts before, e.g. 2026-12-01T00:00:00Z */
                to?: string;
                /** @description who says so */
                source?: "relaycore" | "auterity" | "manual";
                /** @description exact: reported by the provider, or recorded; estimated: from what was seen of the answer; uncertain: charged at the quote */
                certainty?: "exact" | "estimated" | "uncertain";
                userId?: string;
                teamId?: string;
                projectId?: string;
                /** @description model, e.g. gpt-4o */
                model?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "usage": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "amount": "12.5",
                     *           "currency": "USD",
                     *           "timestamp": "2026-11-24T09:15:00.000Z",
                     *           "source": "relaycore",
                     *           "description": "What the search team may spend",
                     *           "certainty": "exact",
                     *           "quote": "0.0124",
                     *           "rate": "0.92",
                     *           "original": {
                     *             "amount": "12.5",
                     *             "currency": "USD"
                     *           },
                     *           "callerId": "invoice-2026-11/17",
                     *           "reverses": "text",
                     *           "openedAt": "2026-12-01T00:00:00.000Z",
                     *           "endedAt": "2026-12-01T00:00:00.000Z",
                     *           "recordedAt": "2026-12-01T00:00:00.000Z",
                     *           "consumed": {
                     *             "inputTokens": 1,
                     *             "cacheReadTokens": 1,
                     *             "cacheWrite5mTokens": 1,
                     *             "cacheWrite1hTokens": 1,
                     *             "outputTokens": 1,
                     *             "reasoningTokens": 1,
                     *             "webSearches": 1,
                     *             "tier": "text",
                     *             "units": {
                     *               "inputAudioTokens": 1200
                     *             }
                     *           },
                     *           "metadata": {
                     *             "requestId": "text",
                     *             "provider": "text",
                     *             "modelId": "text",
                     *             "userId": null,
                     *             "teamId": "search",
                     *             "projectId": null,
                     *             "tags": {
                     *               "costCenter": "4711"
                     *             },
                     *             "outcome": "completed"
                     *           }
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        /** @description the newest first; with filters a page may have less than its limit, and a nextCursor to go on with */
                        usage: {
                            /**
                             * @description of the record; it begins with the time at which it counts
                             * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                             */
                            id: string;
                            budgetId: string;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /** @example USD */
                            currency: string;
                            /**
                             * @description when it counts: when the call opened, or what its recorder said
                             * @example 2026-11-24T09:15:00.000Z
                             */
                            timestamp: string;
                            /**
                             * @description who says so
                             * @enum {unknown}
                             */
                            source: "relaycore" | "auterity" | "manual";
                            description: string | null;
                            /**
                             * @description exact: reported by the provider, or recorded; estimated: from what was seen of the answer; uncertain: charged at the quote
                             * @enum {unknown}
                             */
                            certainty: "exact" | "estimated" | "uncertain";
                            /**
                             * @description the most that the call could cost; 0 for what was not held
                             * @example 0.0124
                             */
                            quote: string;
                            rate: string | null;
                            /** @description as it was recorded; of a call, its cost in USD */
                            original: {
                                /**
                                 * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                                 * @example 12.5
                                 */
                                amount: string;
                                /** @example USD */
                                currency: string;
                            };
                            callerId: string | null;
                            reverses: string | null;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            openedAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            endedAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            recordedAt: string;
                            consumed: {
                                /** @description of text, without those read from or written to a cache */
                                inputTokens: number;
                                cacheReadTokens: number;
                                /** @description written to the cache for the shorter time that the provider has */
                                cacheWrite5mTokens: number;
                                /** @description for the longer time */
                                cacheWrite1hTokens: number;
                                /** @description of text, with those of reasoning */
                                outputTokens: number;
                                reasoningTokens: number;
                                webSearches: number;
                                tier: string | null;
                                /**
                                 * @description what is billed beside text, by name; absent: nothing
                                 * @example {
                                 *       "inputAudioTokens": 1200
                                 *     }
                                 */
                                units?: {
                                    [key: string]: number;
                                };
                            } | null;
                            metadata: {
                                requestId: string | null;
                                provider: string | null;
                                modelId: string | null;
                                userId: string | null;
                                teamId: string | null;
                                projectId: string | null;
                                tags: {
                                    [key: string]: string;
                                } | null;
                                /**
                                 * @description how the call ended; recorded, or reversed
                                 * @example completed
                                 */
                                outcome: string;
                            } & {
                                [key: string]: unknown;
                            };
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postBudgetUsage: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "id": "invoice-2026-11/17",
                 *       "amount": "12.50",
                 *       "currency": "USD",
                 *       "timestamp": "2026-01-15T09:15:00.000Z",
                 *       "source": "auterity",
                 *       "description": "Nightly classification",
                 *       "metadata": {
                 *         "requestId": "req-1f",
                 *         "modelId": "gpt-4o",
                 *         "teamId": "search"
                 *       }
                 *     }
                 */
                "application/json": {
                    id?: string | null;
                    /**
                     * @description 0 or more, at most 9,000,000,000, at most 9 decimals; negative where it reverses a record: what is taken back of it
                     * @example 12.50
                     */
                    amount: string | number;
                    currency?: string | null;
                    timestamp?: string | null;
                    /**
                     * @description who says so
                     * @default manual
                     * @enum {unknown}
                     */
                    source?: "relaycore" | "auterity" | "manual";
                    description?: string | null;
                    metadata?: ({
                        requestId?: string | null;
                        provider?: string | null;
                        modelId?: string | null;
                        userId?: string | null;
                        teamId?: string | null;
                        projectId?: string | null;
                        tags?: {
                            [key: string]: string;
                        } | null;
                    } & {
                        [key: string]: unknown;
                    }) | null;
                    reverses?: string | null;
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "timestamp": "2026-11-24T09:15:00.000Z",
                     *       "source": "relaycore",
                     *       "description": "What the search team may spend",
                     *       "certainty": "exact",
                     *       "quote": "0.0124",
                     *       "rate": "0.92",
                     *       "original": {
                     *         "amount": "12.5",
                     *         "currency": "USD"
                     *       },
                     *       "callerId": "invoice-2026-11/17",
                     *       "reverses": "text",
                     *       "openedAt": "2026-12-01T00:00:00.000Z",
                     *       "endedAt": "2026-12-01T00:00:00.000Z",
                     *       "recordedAt": "2026-12-01T00:00:00.000Z",
                     *       "consumed": {
                     *         "inputTokens": 1,
                     *         "cacheReadTokens": 1,
                     *         "cacheWrite5mTokens": 1,
                     *         "cacheWrite1hTokens": 1,
                     *         "outputTokens": 1,
                     *         "reasoningTokens": 1,
                     *         "webSearches": 1,
                     *         "tier": "text",
                     *         "units": {
                     *           "inputAudioTokens": 1200
                     *         }
                     *       },
                     *       "metadata": {
                     *         "requestId": "text",
                     *         "provider": "text",
                     *         "modelId": "text",
                     *         "userId": null,
                     *         "teamId": "search",
                     *         "projectId": null,
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         },
                     *         "outcome": "completed"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description of the record; it begins with the time at which it counts
                         * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                         */
                        id: string;
                        budgetId: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /** @example USD */
                        currency: string;
                        /**
                         * @description when it counts: when the call opened, or what its recorder said
                         * @example 2026-11-24T09:15:00.000Z
                         */
                        timestamp: string;
                        /**
                         * @description who says so
                         * @enum {unknown}
                         */
                        source: "relaycore" | "auterity" | "manual";
                        description: string | null;
                        /**
                         * @description exact: reported by the provider, or recorded; estimated: from what was seen of the answer; uncertain: charged at the quote
                         * @enum {unknown}
                         */
                        certainty: "exact" | "estimated" | "uncertain";
                        /**
                         * @description the most that the call could cost; 0 for what was not held
                         * @example 0.0124
                         */
                        quote: string;
                        rate: string | null;
                        /** @description as it was recorded; of a call, its cost in USD */
                        original: {
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /** @example USD */
                            currency: string;
                        };
                        callerId: string | null;
                        reverses: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        openedAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        endedAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        recordedAt: string;
                        consumed: {
                            /** @description of text, without those read from or written to a cache */
                            inputTokens: number;
                            cacheReadTokens: number;
                            /** @description written to the cache for the shorter time that the provider has */
                            cacheWrite5mTokens: number;
                            /** @description for the longer time */
                            cacheWrite1hTokens: number;
                            /** @description of text, with those of reasoning */
                            outputTokens: number;
                            reasoningTokens: number;
                            webSearches: number;
                            tier: string | null;
                            /**
                             * @description what is billed beside text, by name; absent: nothing
                             * @example {
                             *       "inputAudioTokens": 1200
                             *     }
                             */
                            units?: {
                                [key: string]: number;
                            };
                        } | null;
                        metadata: {
                            requestId: string | null;
                            provider: string | null;
                            modelId: string | null;
                            userId: string | null;
                            teamId: string | null;
                            projectId: string | null;
                            tags: {
                                [key: string]: string;
                            } | null;
                            /**
                             * @description how the call ended; recorded, or reversed
                             * @example completed
                             */
                            outcome: string;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getBudgetUsageSummary: {
        parameters: {
            query?: {
                /** @description RFC 3339, widened to the hour, or a day of the budget's time zone; default: the start of the running period, e.g. 2026-11-01T00:00:00Z */
                startDate?: string;
                /** @description exclusive, as startDate; default: now where startDate is given, else the end of the period, e.g. 2026-12-01T00:00:00Z */
                endDate?: string;
                /** @description of a budget for each of many: whose account, e.g. alice */
                subject?: string;
                /** @description groupBy, e.g. model */
                groupBy?: ("source" | "provider" | "model" | "key" | "user" | "team" | "project") | string;
                /** @description of the calendar in the budget's time zone, weeks from Monday */
                interval?: "hour" | "day" | "week" | "month";
                /** @description default: what the header accept says, else json */
                format?: "json" | "csv";
            };
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "totalAmount": "12.5",
                     *       "currency": "USD",
                     *       "recordCount": 1200,
                     *       "averagePerDay": "4.5",
                     *       "inputTokens": 1200,
                     *       "outputTokens": 1200,
                     *       "bySource": {
                     *         "relaycore": "12.5"
                     *       },
                     *       "startDate": "2026-12-01T00:00:00.000Z",
                     *       "endDate": "2026-12-01T00:00:00.000Z",
                     *       "timezone": "Europe/Berlin",
                     *       "groupBy": "model",
                     *       "interval": "hour",
                     *       "asOf": "2026-11-24T09:15:00.000Z",
                     *       "groups": [
                     *         {
                     *           "start": "2026-12-01T00:00:00.000Z",
                     *           "end": "2026-12-01T00:00:00.000Z",
                     *           "value": "gpt-4o",
                     *           "amount": "12.5",
                     *           "recordCount": 1200,
                     *           "inputTokens": 1200,
                     *           "outputTokens": 1200
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        budgetId: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        totalAmount: string;
                        currency: string;
                        /**
                         * @description one per call, and one per correction
                         * @example 1200
                         */
                        recordCount: number;
                        /**
                         * @description over the calendar days of the range until now, counted from when the budget begins; less than a day counts as one
                         * @example 4.5
                         */
                        averagePerDay: string;
                        /**
                         * @description all that went in, read from and written to caches too
                         * @example 1200
                         */
                        inputTokens: number;
                        /**
                         * @description reasoning among them
                         * @example 1200
                         */
                        outputTokens: number;
                        /**
                         * @description relaycore, auterity or manual, where there is any
                         * @example {
                         *       "relaycore": "12.5"
                         *     }
                         */
                        bySource: {
                            [key: string]: string;
                        };
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        startDate: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        endDate: string;
                        /** @example Europe/Berlin */
                        timezone: string;
                        groupBy: (("source" | "provider" | "model" | "key" | "user" | "team" | "project") | string) | null;
                        interval: ("hour" | "day" | "week" | "month") | null;
                        /**
                         * @description what was recorded by then is in it. Calls that are open, or ended within the last second or so, are not: the status of the budget has them.
                         * @example 2026-11-24T09:15:00.000Z
                         */
                        asOf: string;
                        /** @description by time, then the greatest first; times without usage are left out; start and end are null without interval */
                        groups: {
                            start: string | null;
                            end: string | null;
                            value: string | null;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /**
                             * @description one per call, and one per correction
                             * @example 1200
                             */
                            recordCount: number;
                            /**
                             * @description all that went in, read from and written to caches too
                             * @example 1200
                             */
                            inputTokens: number;
                            /**
                             * @description reasoning among them
                             * @example 1200
                             */
                            outputTokens: number;
                        }[];
                    };
                    /**
                     * @example start,end,model,amount,currency,recordCount,inputTokens,outputTokens
                     *     ,,gpt-4o,12.5,USD,3,1200,340
                     */
                    "text/csv": string;
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getExchangeRates: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description ISO 4217, e.g. EUR */
                currency?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "rates": [
                     *         {
                     *           "currency": "EUR",
                     *           "rate": "0.9213",
                     *           "effectiveAt": "2026-12-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        rates: {
                            /**
                             * @description ISO 4217
                             * @example EUR
                             */
                            currency: string;
                            /**
                             * @description units of the currency per USD
                             * @example 0.9213
                             */
                            rate: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            effectiveAt: string;
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postExchangeRates: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "currency": "EUR",
                 *       "rate": "0.9213"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description ISO 4217
                     * @example EUR
                     */
                    currency: string;
                    /**
                     * @description units of the currency per USD, a decimal
                     * @example 0.9213
                     */
                    rate: string | number;
                    /**
                     * @description RFC 3339, from when on; now if not given
                     * @example 2026-12-01T00:00:00Z
                     */
                    effectiveAt?: string;
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "currency": "EUR",
                     *       "rate": "0.9213",
                     *       "effectiveAt": "2026-12-01T00:00:00.000Z"
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description ISO 4217
                         * @example EUR
                         */
                        currency: string;
                        /**
                         * @description units of the currency per USD
                         * @example 0.9213
                         */
                        rate: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        effectiveAt: string;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postExchangeRatesImport: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "format": "ecb-daily",
                 *       "content": "<Cube><Cube time='2026-11-25'><Cube currency='USD' rate='1.0854'/><Cube currency='JPY' rate='161.3'/></Cube></Cube>"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description eurofxref-daily.xml of the European Central Bank
                     * @enum {unknown}
                     */
                    format: "ecb-daily";
                    /** @description the file */
                    content: string;
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "rates": [
                     *         {
                     *           "currency": "EUR",
                     *           "rate": "0.9213",
                     *           "effectiveAt": "2026-12-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "added": 1
                     *     }
                     */
                    "application/json": {
                        rates: {
                            /**
                             * @description ISO 4217
                             * @example EUR
                             */
                            currency: string;
                            /**
                             * @description units of the currency per USD
                             * @example 0.9213
                             */
                            rate: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            effectiveAt: string;
                        }[];
                        /** @description how many were new */
                        added: number;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postExplain: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "identity": {
                 *         "organizationId": "acme",
                 *         "teamId": "search"
                 *       },
                 *       "provider": "openai",
                 *       "model": "gpt-4o",
                 *       "inputTokens": 2000,
                 *       "outputTokens": 500
                 *     }
                 */
                "application/json": components["schemas"]["ExplainQuestion"];
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "admitted": true,
                     *       "status": 1,
                     *       "code": "budget_exhausted",
                     *       "message": "The call would be forwarded as it is asked; 0.0125 USD would be set aside, on 2 budgets.",
                     *       "remedy": "text",
                     *       "retryable": true,
                     *       "decidingBudgetId": "text",
                     *       "identity": {
                     *         "organizationId": "acme",
                     *         "teamId": "search",
                     *         "projectId": null,
                     *         "userId": null,
                     *         "keyId": "text",
                     *         "sessionId": "text",
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         }
                     *       },
                     *       "call": {
                     *         "provider": "openai",
                     *         "model": "gpt-4o",
                     *         "inputTokens": 1,
                     *         "outputTokens": 1,
                     *         "modelUsed": "text",
                     *         "outputLimit": 1,
                     *         "quote": "0.0125"
                     *       },
                     *       "candidates": [
                     *         {
                     *           "kind": "as_asked",
                     *           "model": "gpt-4o",
                     *           "outputLimit": 1,
                     *           "quote": "0.0125",
                     *           "outcome": "admitted",
                     *           "code": "budget_exhausted",
                     *           "reason": "All of its budgets let it through.",
                     *           "budgetIds": [
                     *             "text"
                     *           ]
                     *         }
                     *       ],
                     *       "budgets": [
                     *         {
                     *           "visible": true,
                     *           "canProceed": true,
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "name": "Search team",
                     *           "scopeType": "team",
                     *           "scopeId": "search",
                     *           "subject": "text",
                     *           "state": "running",
                     *           "mode": "enforced",
                     *           "currency": "USD",
                     *           "estimatedCost": "0.0125",
                     *           "limit": "250",
                     *           "currentAmount": "12.5",
                     *           "held": "12.5",
                     *           "inDoubt": "12.5",
                     *           "leased": "12.5",
                     *           "heldIsUpperBound": false,
                     *           "remaining": "12.5",
                     *           "resetsAt": "2026-12-01T00:00:00.000Z"
                     *         }
                     *       ],
                     *       "rateLimits": [
                     *         {
                     *           "of": "key \"search service\"",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "requestsPerMinute": {
                     *             "limit": 1,
                     *             "remaining": 1,
                     *             "resetMs": 1
                     *           },
                     *           "tokensPerMinute": {
                     *             "limit": 1,
                     *             "remaining": 1,
                     *             "resetMs": 1
                     *           },
                     *           "concurrentCalls": 1
                     *         }
                     *       ],
                     *       "shadow": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "verdict": "refused"
                     *         }
                     *       ],
                     *       "suggestedActions": [
                     *         "Set max_tokens to 300 or less."
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description whether the call would be forwarded now, if nothing else happens */
                        admitted: boolean;
                        status: number | null;
                        code: string | null;
                        /** @example The call would be forwarded as it is asked; 0.0125 USD would be set aside, on 2 budgets. */
                        message: string;
                        remedy: string | null;
                        /** @description true: the same call may pass in a moment */
                        retryable: boolean;
                        decidingBudgetId: string | null;
                        identity: {
                            organizationId: string;
                            teamId: string | null;
                            projectId: string | null;
                            userId: string | null;
                            keyId: string | null;
                            sessionId: string | null;
                            tags: {
                                [key: string]: string;
                            } | null;
                        } | null;
                        call: {
                            /** @example openai */
                            provider: string;
                            /** @example gpt-4o */
                            model: string;
                            /** @description at most; null: the whole context window */
                            inputTokens: number | null;
                            /** @description of each answer, as asked; null: the model's maximum */
                            outputTokens: number | null;
                            modelUsed: string | null;
                            /** @description to which its output would be capped */
                            outputLimit: number | null;
                            quote: string | null;
                        } | null;
                        /** @description in the order in which they are tried; the first that is admitted is forwarded */
                        candidates: {
                            /** @enum {unknown} */
                            kind: "as_asked" | "downgraded" | "capped";
                            /** @example gpt-4o */
                            model: string;
                            outputLimit: number | null;
                            quote: string | null;
                            /**
                             * @description replaced: a threshold puts another model in its place
                             * @enum {unknown}
                             */
                            outcome: "admitted" | "replaced" | "refused";
                            code: string | null;
                            /** @example All of its budgets let it through. */
                            reason: string;
                            /** @description that it is held on, as far as they are in reach */
                            budgetIds: string[];
                        }[];
                        /** @description all that were found, each followed by those above it; estimatedCost is what the last candidate needs */
                        budgets: components["schemas"]["ConstraintLink"][];
                        /** @description that the call is under, and how they stand */
                        rateLimits: {
                            /**
                             * @description whose calls are counted together
                             * @example key "search service"
                             */
                            of: string;
                            budgetId: string | null;
                            requestsPerMinute: {
                                limit: number;
                                remaining: number;
                                /** @description ms until it is as if nothing had been taken */
                                resetMs: number;
                            } | null;
                            tokensPerMinute: {
                                limit: number;
                                remaining: number;
                                /** @description ms until it is as if nothing had been taken */
                                resetMs: number;
                            } | null;
                            /** @description at most */
                            concurrentCalls: number | null;
                        }[];
                        /** @description what budgets that are only tried would have done */
                        shadow: {
                            budgetId: string;
                            /** @enum {unknown} */
                            verdict: "refused" | "restricted" | "downgraded";
                        }[];
                        /**
                         * @description what would help, each by itself, but for several raises, which help together
                         * @example [
                         *       "Set max_tokens to 300 or less."
                         *     ]
                         */
                        suggestedActions: string[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found.route_not_found"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getGateways: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "gateways": [
                     *         {
                     *           "id": "17",
                     *           "host": "text",
                     *           "state": "live",
                     *           "silentSince": "2026-12-01T00:00:00.000Z",
                     *           "accounts": 1
                     *         }
                     *       ],
                     *       "count": 1
                     *     }
                     */
                    "application/json": {
                        gateways: {
                            /**
                             * @description of one life of the process
                             * @example 17
                             */
                            id: string;
                            host: string;
                            /**
                             * @description recovering: it has begun to close its former life
                             * @enum {unknown}
                             */
                            state: "live" | "recovering";
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            silentSince: string;
                            /** @description on which it has leased something */
                            accounts: number;
                        }[];
                        count: number;
                    };
                };
            };
            400: components["responses"]["bad_request.invalid_body.invalid_field.invalid_url"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postGatewayWriteOff: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /**
                 * @description as in the list
                 * @example 17
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accounts": [
                     *         {
                     *           "accountId": "text",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "amount": "12.5",
                     *           "currency": "USD"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description what counts as spent */
                        accounts: {
                            accountId: string;
                            budgetId: string;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /** @description ISO 4217 */
                            currency: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getHolds: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                state?: "open" | "settled" | "released" | "uncertain";
                /** @description budgetId, e.g. 01912d68-783e-7a03-8467-5661c1243ad4 */
                budgetId?: string;
                /** @description exactly */
                organizationId?: string;
                /** @description exactly */
                externalId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "holds": [
                     *         {
                     *           "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "state": "open",
                     *           "amount": "12.5",
                     *           "currency": "USD",
                     *           "cost": "1.75",
                     *           "costCurrency": "USD",
                     *           "expiresAt": "2026-12-01T00:00:00.000Z",
                     *           "expiredAt": "2026-12-01T00:00:00.000Z",
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "endedAt": "2026-12-01T00:00:00.000Z",
                     *           "organizationId": "acme",
                     *           "teamId": "search",
                     *           "projectId": null,
                     *           "userId": null,
                     *           "tags": {
                     *             "costCenter": "4711"
                     *           },
                     *           "provider": "openai",
                     *           "model": "gpt-4o",
                     *           "source": "relaycore",
                     *           "externalId": "nightly-42",
                     *           "jobId": "text",
                     *           "description": "What the search team may spend",
                     *           "metadata": {
                     *             "job": "nightly-42"
                     *           },
                     *           "createdBy": "ada",
                     *           "budgets": [
                     *             {
                     *               "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *               "name": "Search team",
                     *               "currency": "USD",
                     *               "periodStart": "2026-12-01T00:00:00.000Z",
                     *               "periodEnd": "2026-12-01T00:00:00.000Z",
                     *               "amount": "2.5",
                     *               "held": "2.5",
                     *               "charged": "0"
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        /** @description the newest first */
                        holds: {
                            /** @description UUIDv7; also that of its usage event */
                            id: string;
                            /**
                             * @description uncertain: its deadline has passed, and it is charged at its amount until it is settled or released
                             * @enum {unknown}
                             */
                            state: "open" | "settled" | "released" | "uncertain";
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            currency: string;
                            cost: string | null;
                            costCurrency: string | null;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            expiresAt: string;
                            expiredAt: string | null;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            createdAt: string;
                            endedAt: string | null;
                            organizationId: string | null;
                            teamId: string | null;
                            projectId: string | null;
                            userId: string | null;
                            tags: {
                                [key: string]: string;
                            } | null;
                            provider: string | null;
                            model: string | null;
                            source: string;
                            externalId: string | null;
                            jobId: string | null;
                            description: string | null;
                            metadata: {
                                [key: string]: unknown;
                            } | null;
                            createdBy: string;
                            /** @description each in the period in which the hold was opened, whenever it ends */
                            budgets: {
                                budgetId: string;
                                name: string;
                                currency: string;
                                /**
                                 * @description RFC 3339, in UTC
                                 * @example 2026-12-01T00:00:00.000Z
                                 */
                                periodStart: string;
                                periodEnd: string | null;
                                /**
                                 * @description what it was opened for
                                 * @example 2.5
                                 */
                                amount: string;
                                /**
                                 * @description set aside now; 0 where the budget is soft, or the hold has ended
                                 * @example 2.5
                                 */
                                held: string;
                                /**
                                 * @description so far
                                 * @example 0
                                 */
                                charged: string;
                            }[];
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postHolds: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "identity": {
                 *         "organizationId": "acme",
                 *         "teamId": "search"
                 *       },
                 *       "amount": "2.5",
                 *       "currency": "USD",
                 *       "ttlSeconds": 86400
                 *     }
                 */
                "application/json": {
                    /**
                     * @description every budget that applies to it is held
                     * @example {
                     *       "organizationId": "acme",
                     *       "teamId": "search"
                     *     }
                     */
                    identity?: {
                        /** @description whom it is for */
                        organizationId: string;
                        /** @description and of it */
                        teamId?: string;
                        /** @description and of it */
                        projectId?: string;
                        /** @description and of it */
                        userId?: string;
                        /** @description of it */
                        sessionId?: string;
                        /** @description for whom a client of yours works */
                        endUserId?: string;
                        /**
                         * @example {
                         *       "costCenter": "4711"
                         *     }
                         */
                        tags?: {
                            [key: string]: string;
                        };
                    };
                    /**
                     * @description this budget and those above it, whatever their scopes and filters. Or identity; of a budget for each of many both
                     * @example 01912d68-783e-7a03-8467-5661c1243ad4
                     */
                    budgetId?: string;
                    /**
                     * @description what to set aside; or inputTokens and outputTokens of a provider's model; at most 9,000,000,000, at most 9 decimals
                     * @example 12.50
                     */
                    amount?: string | number;
                    /**
                     * @description ISO 4217; USD if not given
                     * @example USD
                     */
                    currency?: string;
                    /** @description counts for the filters of budgets, too */
                    provider?: string;
                    /** @description counts for the filters of budgets, too */
                    model?: string;
                    /** @description at most; not given: the whole context window */
                    inputTokens?: number;
                    /** @description at most; not given: the model's maximum */
                    outputTokens?: number;
                    /** @description of the provider, e.g. priority */
                    tier?: string;
                    /** @description how long it may take; 3600 if not given. Or expiresAt */
                    ttlSeconds?: number;
                    /** @description RFC 3339, in the future, at most 31 days ahead: after it the hold is charged at its amount until it is settled or released */
                    expiresAt?: string;
                    /**
                     * @description who spends; manual if not given
                     * @enum {unknown}
                     */
                    source?: "relaycore" | "auterity" | "manual";
                    /** @description the caller's own id, once per organization and source */
                    externalId?: string;
                    description?: string;
                    /**
                     * @description kept and given back as it is
                     * @example {
                     *       "job": "nightly-42"
                     *     }
                     */
                    metadata?: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "state": "open",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "cost": "1.75",
                     *       "costCurrency": "USD",
                     *       "expiresAt": "2026-12-01T00:00:00.000Z",
                     *       "expiredAt": "2026-12-01T00:00:00.000Z",
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "endedAt": "2026-12-01T00:00:00.000Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "provider": "openai",
                     *       "model": "gpt-4o",
                     *       "source": "relaycore",
                     *       "externalId": "nightly-42",
                     *       "jobId": "text",
                     *       "description": "What the search team may spend",
                     *       "metadata": {
                     *         "job": "nightly-42"
                     *       },
                     *       "createdBy": "ada",
                     *       "budgets": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "name": "Search team",
                     *           "currency": "USD",
                     *           "periodStart": "2026-12-01T00:00:00.000Z",
                     *           "periodEnd": "2026-12-01T00:00:00.000Z",
                     *           "amount": "2.5",
                     *           "held": "2.5",
                     *           "charged": "0"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description UUIDv7; also that of its usage event */
                        id: string;
                        /**
                         * @description uncertain: its deadline has passed, and it is charged at its amount until it is settled or released
                         * @enum {unknown}
                         */
                        state: "open" | "settled" | "released" | "uncertain";
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        currency: string;
                        cost: string | null;
                        costCurrency: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        expiresAt: string;
                        expiredAt: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        endedAt: string | null;
                        organizationId: string | null;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        tags: {
                            [key: string]: string;
                        } | null;
                        provider: string | null;
                        model: string | null;
                        source: string;
                        externalId: string | null;
                        jobId: string | null;
                        description: string | null;
                        metadata: {
                            [key: string]: unknown;
                        } | null;
                        createdBy: string;
                        /** @description each in the period in which the hold was opened, whenever it ends */
                        budgets: {
                            budgetId: string;
                            name: string;
                            currency: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            periodStart: string;
                            periodEnd: string | null;
                            /**
                             * @description what it was opened for
                             * @example 2.5
                             */
                            amount: string;
                            /**
                             * @description set aside now; 0 where the budget is soft, or the hold has ended
                             * @example 2.5
                             */
                            held: string;
                            /**
                             * @description so far
                             * @example 0
                             */
                            charged: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found.route_not_found"];
            409: components["responses"]["approval_required.budget_exhausted.budget_held.budget_in_doubt.budget_paused.conflict.no_budget.quote_exceeds_budget"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["budget_contention.too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getHold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "state": "open",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "cost": "1.75",
                     *       "costCurrency": "USD",
                     *       "expiresAt": "2026-12-01T00:00:00.000Z",
                     *       "expiredAt": "2026-12-01T00:00:00.000Z",
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "endedAt": "2026-12-01T00:00:00.000Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "provider": "openai",
                     *       "model": "gpt-4o",
                     *       "source": "relaycore",
                     *       "externalId": "nightly-42",
                     *       "jobId": "text",
                     *       "description": "What the search team may spend",
                     *       "metadata": {
                     *         "job": "nightly-42"
                     *       },
                     *       "createdBy": "ada",
                     *       "budgets": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "name": "Search team",
                     *           "currency": "USD",
                     *           "periodStart": "2026-12-01T00:00:00.000Z",
                     *           "periodEnd": "2026-12-01T00:00:00.000Z",
                     *           "amount": "2.5",
                     *           "held": "2.5",
                     *           "charged": "0"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description UUIDv7; also that of its usage event */
                        id: string;
                        /**
                         * @description uncertain: its deadline has passed, and it is charged at its amount until it is settled or released
                         * @enum {unknown}
                         */
                        state: "open" | "settled" | "released" | "uncertain";
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        currency: string;
                        cost: string | null;
                        costCurrency: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        expiresAt: string;
                        expiredAt: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        endedAt: string | null;
                        organizationId: string | null;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        tags: {
                            [key: string]: string;
                        } | null;
                        provider: string | null;
                        model: string | null;
                        source: string;
                        externalId: string | null;
                        jobId: string | null;
                        description: string | null;
                        metadata: {
                            [key: string]: unknown;
                        } | null;
                        createdBy: string;
                        /** @description each in the period in which the hold was opened, whenever it ends */
                        budgets: {
                            budgetId: string;
                            name: string;
                            currency: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            periodStart: string;
                            periodEnd: string | null;
                            /**
                             * @description what it was opened for
                             * @example 2.5
                             */
                            amount: string;
                            /**
                             * @description set aside now; 0 where the budget is soft, or the hold has ended
                             * @example 2.5
                             */
                            held: string;
                            /**
                             * @description so far
                             * @example 0
                             */
                            charged: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postHoldExtend: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "ttlSeconds": 86400
                 *     }
                 */
                "application/json": {
                    /** @description how long it may take; 3600 if not given. Or expiresAt */
                    ttlSeconds?: number;
                    /** @description RFC 3339, in the future, at most 31 days ahead: after it the hold is charged at its amount until it is settled or released */
                    expiresAt?: string;
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "state": "open",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "cost": "1.75",
                     *       "costCurrency": "USD",
                     *       "expiresAt": "2026-12-01T00:00:00.000Z",
                     *       "expiredAt": "2026-12-01T00:00:00.000Z",
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "endedAt": "2026-12-01T00:00:00.000Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "provider": "openai",
                     *       "model": "gpt-4o",
                     *       "source": "relaycore",
                     *       "externalId": "nightly-42",
                     *       "jobId": "text",
                     *       "description": "What the search team may spend",
                     *       "metadata": {
                     *         "job": "nightly-42"
                     *       },
                     *       "createdBy": "ada",
                     *       "budgets": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "name": "Search team",
                     *           "currency": "USD",
                     *           "periodStart": "2026-12-01T00:00:00.000Z",
                     *           "periodEnd": "2026-12-01T00:00:00.000Z",
                     *           "amount": "2.5",
                     *           "held": "2.5",
                     *           "charged": "0"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description UUIDv7; also that of its usage event */
                        id: string;
                        /**
                         * @description uncertain: its deadline has passed, and it is charged at its amount until it is settled or released
                         * @enum {unknown}
                         */
                        state: "open" | "settled" | "released" | "uncertain";
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        currency: string;
                        cost: string | null;
                        costCurrency: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        expiresAt: string;
                        expiredAt: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        endedAt: string | null;
                        organizationId: string | null;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        tags: {
                            [key: string]: string;
                        } | null;
                        provider: string | null;
                        model: string | null;
                        source: string;
                        externalId: string | null;
                        jobId: string | null;
                        description: string | null;
                        metadata: {
                            [key: string]: unknown;
                        } | null;
                        createdBy: string;
                        /** @description each in the period in which the hold was opened, whenever it ends */
                        budgets: {
                            budgetId: string;
                            name: string;
                            currency: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            periodStart: string;
                            periodEnd: string | null;
                            /**
                             * @description what it was opened for
                             * @example 2.5
                             */
                            amount: string;
                            /**
                             * @description set aside now; 0 where the budget is soft, or the hold has ended
                             * @example 2.5
                             */
                            held: string;
                            /**
                             * @description so far
                             * @example 0
                             */
                            charged: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["conflict.hold_settled"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postHoldRelease: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "state": "open",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "cost": "1.75",
                     *       "costCurrency": "USD",
                     *       "expiresAt": "2026-12-01T00:00:00.000Z",
                     *       "expiredAt": "2026-12-01T00:00:00.000Z",
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "endedAt": "2026-12-01T00:00:00.000Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "provider": "openai",
                     *       "model": "gpt-4o",
                     *       "source": "relaycore",
                     *       "externalId": "nightly-42",
                     *       "jobId": "text",
                     *       "description": "What the search team may spend",
                     *       "metadata": {
                     *         "job": "nightly-42"
                     *       },
                     *       "createdBy": "ada",
                     *       "budgets": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "name": "Search team",
                     *           "currency": "USD",
                     *           "periodStart": "2026-12-01T00:00:00.000Z",
                     *           "periodEnd": "2026-12-01T00:00:00.000Z",
                     *           "amount": "2.5",
                     *           "held": "2.5",
                     *           "charged": "0"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description UUIDv7; also that of its usage event */
                        id: string;
                        /**
                         * @description uncertain: its deadline has passed, and it is charged at its amount until it is settled or released
                         * @enum {unknown}
                         */
                        state: "open" | "settled" | "released" | "uncertain";
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        currency: string;
                        cost: string | null;
                        costCurrency: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        expiresAt: string;
                        expiredAt: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        endedAt: string | null;
                        organizationId: string | null;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        tags: {
                            [key: string]: string;
                        } | null;
                        provider: string | null;
                        model: string | null;
                        source: string;
                        externalId: string | null;
                        jobId: string | null;
                        description: string | null;
                        metadata: {
                            [key: string]: unknown;
                        } | null;
                        createdBy: string;
                        /** @description each in the period in which the hold was opened, whenever it ends */
                        budgets: {
                            budgetId: string;
                            name: string;
                            currency: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            periodStart: string;
                            periodEnd: string | null;
                            /**
                             * @description what it was opened for
                             * @example 2.5
                             */
                            amount: string;
                            /**
                             * @description set aside now; 0 where the budget is soft, or the hold has ended
                             * @example 2.5
                             */
                            held: string;
                            /**
                             * @description so far
                             * @example 0
                             */
                            charged: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["hold_settled"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postHoldSettle: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "amount": "1.75",
                 *       "inputTokens": 120000,
                 *       "outputTokens": 4000
                 *     }
                 */
                "application/json": {
                    /**
                     * @description what it cost, be it more than was held; not given: priced by what was used; at most 9,000,000,000, at most 9 decimals
                     * @example 12.50
                     */
                    amount?: string | number;
                    /**
                     * @description that of the hold if not given, or USD
                     * @example USD
                     */
                    currency?: string;
                    /** @description without those read from or written to a cache */
                    inputTokens?: number;
                    /** @description with those of reasoning */
                    outputTokens?: number;
                    /** @description 0 if not given */
                    cacheReadTokens?: number;
                    /** @description 0 if not given */
                    cacheWrite5mTokens?: number;
                    /** @description 0 if not given */
                    cacheWrite1hTokens?: number;
                    /** @description part of outputTokens */
                    reasoningTokens?: number;
                    /** @description 0 if not given */
                    webSearches?: number;
                    /**
                     * @description what is billed beside tokens of text, by its name
                     * @example {
                     *       "inputAudioTokens": 1200
                     *     }
                     */
                    units?: {
                        [key: string]: number;
                    };
                    /** @description that the provider says it used */
                    tier?: string;
                    /** @description that the provider says it used */
                    modelUsed?: string;
                    /** @description by which logs name it */
                    requestId?: string;
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "state": "open",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "cost": "1.75",
                     *       "costCurrency": "USD",
                     *       "expiresAt": "2026-12-01T00:00:00.000Z",
                     *       "expiredAt": "2026-12-01T00:00:00.000Z",
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "endedAt": "2026-12-01T00:00:00.000Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "tags": {
                     *         "costCenter": "4711"
                     *       },
                     *       "provider": "openai",
                     *       "model": "gpt-4o",
                     *       "source": "relaycore",
                     *       "externalId": "nightly-42",
                     *       "jobId": "text",
                     *       "description": "What the search team may spend",
                     *       "metadata": {
                     *         "job": "nightly-42"
                     *       },
                     *       "createdBy": "ada",
                     *       "budgets": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "name": "Search team",
                     *           "currency": "USD",
                     *           "periodStart": "2026-12-01T00:00:00.000Z",
                     *           "periodEnd": "2026-12-01T00:00:00.000Z",
                     *           "amount": "2.5",
                     *           "held": "2.5",
                     *           "charged": "0"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description UUIDv7; also that of its usage event */
                        id: string;
                        /**
                         * @description uncertain: its deadline has passed, and it is charged at its amount until it is settled or released
                         * @enum {unknown}
                         */
                        state: "open" | "settled" | "released" | "uncertain";
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        currency: string;
                        cost: string | null;
                        costCurrency: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        expiresAt: string;
                        expiredAt: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        endedAt: string | null;
                        organizationId: string | null;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        tags: {
                            [key: string]: string;
                        } | null;
                        provider: string | null;
                        model: string | null;
                        source: string;
                        externalId: string | null;
                        jobId: string | null;
                        description: string | null;
                        metadata: {
                            [key: string]: unknown;
                        } | null;
                        createdBy: string;
                        /** @description each in the period in which the hold was opened, whenever it ends */
                        budgets: {
                            budgetId: string;
                            name: string;
                            currency: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            periodStart: string;
                            periodEnd: string | null;
                            /**
                             * @description what it was opened for
                             * @example 2.5
                             */
                            amount: string;
                            /**
                             * @description set aside now; 0 where the budget is soft, or the hold has ended
                             * @example 2.5
                             */
                            held: string;
                            /**
                             * @description so far
                             * @example 0
                             */
                            charged: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["hold_settled"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getKeys: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description exactly */
                organizationId?: string;
                /** @description exactly */
                teamId?: string;
                /** @description exactly */
                projectId?: string;
                /** @description exactly */
                userId?: string;
                /** @description revoked ones too */
                includeRevoked?: boolean;
                /** @description whether to count all pages */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *           "hint": "rk_Ab3d...",
                     *           "name": "Search team",
                     *           "allowHeaders": [
                     *             "user",
                     *             "tags"
                     *           ],
                     *           "requireHeaders": [
                     *             "user",
                     *             "tags"
                     *           ],
                     *           "endUser": "ignore",
                     *           "allowedProviders": [
                     *             "openai"
                     *           ],
                     *           "allowedModels": [
                     *             "gpt-4o*"
                     *           ],
                     *           "rateLimits": {
                     *             "requestsPerMinute": 60
                     *           },
                     *           "expiresAt": "2027-01-01T00:00:00Z",
                     *           "organizationId": "acme",
                     *           "teamId": "search",
                     *           "projectId": null,
                     *           "userId": null,
                     *           "disabled": true,
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "updatedAt": "2026-12-01T00:00:00.000Z",
                     *           "disabledAt": "2026-12-01T00:00:00.000Z",
                     *           "revokedAt": null,
                     *           "version": 7
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null,
                     *       "total": 1
                     *     }
                     */
                    "application/json": {
                        keys: {
                            /** @description UUID; stays through rotations */
                            id: string;
                            /** @description the secret itself: shown once, in the answer that made it */
                            key?: string;
                            /**
                             * @description the beginning of the secret
                             * @example rk_Ab3d...
                             */
                            hint: string;
                            /** @description for people */
                            name: string;
                            /**
                             * @description identity headers that count when a call carries them: the part behind x-relaycore-
                             * @example [
                             *       "user",
                             *       "tags"
                             *     ]
                             */
                            allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                            /**
                             * @description identity headers that a call must carry: the part behind x-relaycore-
                             * @example [
                             *       "user",
                             *       "tags"
                             *     ]
                             */
                            requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                            /**
                             * @description whether the end user that a call names in its body counts (OpenAI safety_identifier or user, Anthropic metadata.user_id)
                             * @enum {unknown}
                             */
                            endUser: "ignore" | "allow" | "require";
                            allowedProviders: string[] | null;
                            allowedModels: string[] | null;
                            rateLimits: {
                                requestsPerMinute?: number | null;
                                tokensPerMinute?: number | null;
                                concurrentCalls?: number | null;
                            } | null;
                            expiresAt: string | null;
                            /** @description whose calls these are */
                            organizationId: string;
                            teamId: string | null;
                            projectId: string | null;
                            userId: string | null;
                            disabled: boolean;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            createdAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            updatedAt: string;
                            disabledAt: string | null;
                            revokedAt: string | null;
                            /** @description also the ETag */
                            version: number;
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                        /** @description of all pages, where total=true asks for it */
                        total?: number;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postKeys: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "search service",
                 *       "organizationId": "acme",
                 *       "teamId": "search"
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name: string;
                    /**
                     * @description identity headers that count when a call carries them: the part behind x-relaycore-
                     * @example [
                     *       "user",
                     *       "tags"
                     *     ]
                     */
                    allowHeaders?: ("user" | "team" | "project" | "session" | "tags")[];
                    /**
                     * @description identity headers that a call must carry: the part behind x-relaycore-
                     * @example [
                     *       "user",
                     *       "tags"
                     *     ]
                     */
                    requireHeaders?: ("user" | "team" | "project" | "session" | "tags")[];
                    /**
                     * @description whether the end user that a call names in its body counts (OpenAI safety_identifier or user, Anthropic metadata.user_id)
                     * @enum {unknown}
                     */
                    endUser?: "ignore" | "allow" | "require";
                    allowedProviders?: string[] | null;
                    allowedModels?: string[] | null;
                    rateLimits?: {
                        requestsPerMinute?: number | null;
                        tokensPerMinute?: number | null;
                        concurrentCalls?: number | null;
                    } | null;
                    expiresAt?: string | null;
                    /** @description whose calls these are */
                    organizationId: string;
                    teamId?: string | null;
                    projectId?: string | null;
                    userId?: string | null;
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *       "hint": "rk_Ab3d...",
                     *       "name": "Search team",
                     *       "allowHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "requireHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "endUser": "ignore",
                     *       "allowedProviders": [
                     *         "openai"
                     *       ],
                     *       "allowedModels": [
                     *         "gpt-4o*"
                     *       ],
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "expiresAt": "2027-01-01T00:00:00Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "disabled": true,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "disabledAt": "2026-12-01T00:00:00.000Z",
                     *       "revokedAt": null,
                     *       "version": 7
                     *     }
                     */
                    "application/json": {
                        /** @description UUID; stays through rotations */
                        id: string;
                        /** @description the secret itself: shown once, in the answer that made it */
                        key?: string;
                        /**
                         * @description the beginning of the secret
                         * @example rk_Ab3d...
                         */
                        hint: string;
                        /** @description for people */
                        name: string;
                        /**
                         * @description identity headers that count when a call carries them: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description identity headers that a call must carry: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description whether the end user that a call names in its body counts (OpenAI safety_identifier or user, Anthropic metadata.user_id)
                         * @enum {unknown}
                         */
                        endUser: "ignore" | "allow" | "require";
                        allowedProviders: string[] | null;
                        allowedModels: string[] | null;
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        expiresAt: string | null;
                        /** @description whose calls these are */
                        organizationId: string;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        disabled: boolean;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        disabledAt: string | null;
                        revokedAt: string | null;
                        /** @description also the ETag */
                        version: number;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description an ETag that is known already: 304 where it is still so */
                "if-none-match"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *       "hint": "rk_Ab3d...",
                     *       "name": "Search team",
                     *       "allowHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "requireHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "endUser": "ignore",
                     *       "allowedProviders": [
                     *         "openai"
                     *       ],
                     *       "allowedModels": [
                     *         "gpt-4o*"
                     *       ],
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "expiresAt": "2027-01-01T00:00:00Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "disabled": true,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "disabledAt": "2026-12-01T00:00:00.000Z",
                     *       "revokedAt": null,
                     *       "version": 7
                     *     }
                     */
                    "application/json": {
                        /** @description UUID; stays through rotations */
                        id: string;
                        /** @description the secret itself: shown once, in the answer that made it */
                        key?: string;
                        /**
                         * @description the beginning of the secret
                         * @example rk_Ab3d...
                         */
                        hint: string;
                        /** @description for people */
                        name: string;
                        /**
                         * @description identity headers that count when a call carries them: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description identity headers that a call must carry: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description whether the end user that a call names in its body counts (OpenAI safety_identifier or user, Anthropic metadata.user_id)
                         * @enum {unknown}
                         */
                        endUser: "ignore" | "allow" | "require";
                        allowedProviders: string[] | null;
                        allowedModels: string[] | null;
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        expiresAt: string | null;
                        /** @description whose calls these are */
                        organizationId: string;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        disabled: boolean;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        disabledAt: string | null;
                        revokedAt: string | null;
                        /** @description also the ETag */
                        version: number;
                    };
                };
            };
            /** @description Default Response */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    deleteKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description the ETag that the change is based on, or *; another version by now: 412, e.g. "42" */
                "if-match"?: string;
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done; there is nothing to tell. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    patchKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description the ETag that the change is based on, or *; another version by now: 412, e.g. "42" */
                "if-match"?: string;
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        /** @description absent fields stay, null takes away */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "disabled": true
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name?: string;
                    /**
                     * @description identity headers that count when a call carries them: the part behind x-relaycore-
                     * @example [
                     *       "user",
                     *       "tags"
                     *     ]
                     */
                    allowHeaders?: ("user" | "team" | "project" | "session" | "tags")[];
                    /**
                     * @description identity headers that a call must carry: the part behind x-relaycore-
                     * @example [
                     *       "user",
                     *       "tags"
                     *     ]
                     */
                    requireHeaders?: ("user" | "team" | "project" | "session" | "tags")[];
                    /**
                     * @description whether the end user that a call names in its body counts (OpenAI safety_identifier or user, Anthropic metadata.user_id)
                     * @enum {unknown}
                     */
                    endUser?: "ignore" | "allow" | "require";
                    allowedProviders?: string[] | null;
                    allowedModels?: string[] | null;
                    rateLimits?: {
                        requestsPerMinute?: number | null;
                        tokensPerMinute?: number | null;
                        concurrentCalls?: number | null;
                    } | null;
                    expiresAt?: string | null;
                    /** @description refused until it is enabled again */
                    disabled?: boolean;
                };
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *       "hint": "rk_Ab3d...",
                     *       "name": "Search team",
                     *       "allowHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "requireHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "endUser": "ignore",
                     *       "allowedProviders": [
                     *         "openai"
                     *       ],
                     *       "allowedModels": [
                     *         "gpt-4o*"
                     *       ],
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "expiresAt": "2027-01-01T00:00:00Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "disabled": true,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "disabledAt": "2026-12-01T00:00:00.000Z",
                     *       "revokedAt": null,
                     *       "version": 7
                     *     }
                     */
                    "application/json": {
                        /** @description UUID; stays through rotations */
                        id: string;
                        /** @description the secret itself: shown once, in the answer that made it */
                        key?: string;
                        /**
                         * @description the beginning of the secret
                         * @example rk_Ab3d...
                         */
                        hint: string;
                        /** @description for people */
                        name: string;
                        /**
                         * @description identity headers that count when a call carries them: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description identity headers that a call must carry: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description whether the end user that a call names in its body counts (OpenAI safety_identifier or user, Anthropic metadata.user_id)
                         * @enum {unknown}
                         */
                        endUser: "ignore" | "allow" | "require";
                        allowedProviders: string[] | null;
                        allowedModels: string[] | null;
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        expiresAt: string | null;
                        /** @description whose calls these are */
                        organizationId: string;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        disabled: boolean;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        disabledAt: string | null;
                        revokedAt: string | null;
                        /** @description also the ETag */
                        version: number;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postKeyRotate: {
        parameters: {
            query?: never;
            header?: {
                /** @description the ETag that the change is based on, or *; another version by now: 412, e.g. "42" */
                "if-match"?: string;
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "overlapSeconds": 3600
                 *     }
                 */
                "application/json": {
                    /** @description how long the secret before works beside the new one; 0 if not given */
                    overlapSeconds?: number;
                } | null;
            };
        };
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "key": "rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa",
                     *       "hint": "rk_Ab3d...",
                     *       "name": "Search team",
                     *       "allowHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "requireHeaders": [
                     *         "user",
                     *         "tags"
                     *       ],
                     *       "endUser": "ignore",
                     *       "allowedProviders": [
                     *         "openai"
                     *       ],
                     *       "allowedModels": [
                     *         "gpt-4o*"
                     *       ],
                     *       "rateLimits": {
                     *         "requestsPerMinute": 60
                     *       },
                     *       "expiresAt": "2027-01-01T00:00:00Z",
                     *       "organizationId": "acme",
                     *       "teamId": "search",
                     *       "projectId": null,
                     *       "userId": null,
                     *       "disabled": true,
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "updatedAt": "2026-12-01T00:00:00.000Z",
                     *       "disabledAt": "2026-12-01T00:00:00.000Z",
                     *       "revokedAt": null,
                     *       "version": 7
                     *     }
                     */
                    "application/json": {
                        /** @description UUID; stays through rotations */
                        id: string;
                        /** @description the secret itself: shown once, in the answer that made it */
                        key?: string;
                        /**
                         * @description the beginning of the secret
                         * @example rk_Ab3d...
                         */
                        hint: string;
                        /** @description for people */
                        name: string;
                        /**
                         * @description identity headers that count when a call carries them: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        allowHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description identity headers that a call must carry: the part behind x-relaycore-
                         * @example [
                         *       "user",
                         *       "tags"
                         *     ]
                         */
                        requireHeaders: ("user" | "team" | "project" | "session" | "tags")[];
                        /**
                         * @description whether the end user that a call names in its body counts (OpenAI safety_identifier or user, Anthropic metadata.user_id)
                         * @enum {unknown}
                         */
                        endUser: "ignore" | "allow" | "require";
                        allowedProviders: string[] | null;
                        allowedModels: string[] | null;
                        rateLimits: {
                            requestsPerMinute?: number | null;
                            tokensPerMinute?: number | null;
                            concurrentCalls?: number | null;
                        } | null;
                        expiresAt: string | null;
                        /** @description whose calls these are */
                        organizationId: string;
                        teamId: string | null;
                        projectId: string | null;
                        userId: string | null;
                        disabled: boolean;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        updatedAt: string;
                        disabledAt: string | null;
                        revokedAt: string | null;
                        /** @description also the ETag */
                        version: number;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            412: components["responses"]["precondition_failed"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getPrices: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description as in the catalog, or one of your own, e.g. openai */
                provider?: string;
                /** @description model, e.g. gpt-4o */
                model?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "prices": [
                     *         {
                     *           "provider": "openai",
                     *           "model": "gpt-4o",
                     *           "effectiveAt": "2026-12-01T00:00:00.000Z",
                     *           "prices": {}
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        prices: {
                            /**
                             * @description as in the catalog, or one of your own
                             * @example openai
                             */
                            provider: string;
                            /** @example gpt-4o */
                            model: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            effectiveAt: string;
                            /** @description as they were said */
                            prices: {
                                [key: string]: unknown;
                            };
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postPrices: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "provider": "openai",
                 *       "model": "gpt-4o",
                 *       "prices": {
                 *         "input": "2",
                 *         "cacheRead": "1",
                 *         "output": "8"
                 *       }
                 *     }
                 */
                "application/json": {
                    /**
                     * @description as in the catalog, or one of your own
                     * @example openai
                     */
                    provider: string;
                    /** @example gpt-4o */
                    model: string;
                    /**
                     * @description RFC 3339: for calls that open from then on; now if not given
                     * @example 2026-12-01T00:00:00Z
                     */
                    effectiveAt?: string;
                    prices: {
                        /** @description USD per million input tokens, a decimal with at most nine decimals */
                        input?: string;
                        /** @description USD per million input tokens read from the cache; as input if not given, a decimal with at most nine decimals */
                        cacheRead?: string;
                        /** @description USD per million input tokens written to the cache for the shorter time (Anthropic 5 min, OpenAI 30 min); as input if not given, a decimal with at most nine decimals */
                        cacheWrite5m?: string;
                        /** @description USD per million input tokens written to the cache for the longer time (Anthropic 1 h, OpenAI 12 h); as input if writing has no price of its own, else none if not given, a decimal with at most nine decimals */
                        cacheWrite1h?: string;
                        /** @description USD per million output tokens, reasoning included, a decimal with at most nine decimals */
                        output?: string;
                        /** @description USD per million of each unit */
                        units?: {
                            [key: string]: string;
                        };
                        aliases?: string[];
                        /** @description 0: it reads no tokens */
                        contextWindow?: number;
                        /** @description 0: it puts out no tokens */
                        maxOutput?: number;
                        reasoning?: boolean;
                        tiers?: {
                            /** @description USD per million input tokens, a decimal with at most nine decimals */
                            input?: string;
                            /** @description USD per million input tokens read from the cache; as input if not given, a decimal with at most nine decimals */
                            cacheRead?: string;
                            /** @description USD per million input tokens written to the cache for the shorter time (Anthropic 5 min, OpenAI 30 min); as input if not given, a decimal with at most nine decimals */
                            cacheWrite5m?: string;
                            /** @description USD per million input tokens written to the cache for the longer time (Anthropic 1 h, OpenAI 12 h); as input if writing has no price of its own, else none if not given, a decimal with at most nine decimals */
                            cacheWrite1h?: string;
                            /** @description USD per million output tokens, reasoning included, a decimal with at most nine decimals */
                            output?: string;
                            /** @description USD per million of each unit */
                            units?: {
                                [key: string]: string;
                            };
                            fromInputTokens: number;
                        }[];
                        multipliers?: {
                            [key: string]: string;
                        };
                        asText?: string[];
                        cachesUnasked?: boolean;
                    };
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "provider": "openai",
                     *       "model": "gpt-4o",
                     *       "effectiveAt": "2026-12-01T00:00:00.000Z",
                     *       "prices": {}
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description as in the catalog, or one of your own
                         * @example openai
                         */
                        provider: string;
                        /** @example gpt-4o */
                        model: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        effectiveAt: string;
                        /** @description as they were said */
                        prices: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getTokens: {
        parameters: {
            query?: {
                /** @description most that are answered at once */
                limit?: number;
                /** @description nextCursor of the page before */
                cursor?: string;
                /** @description revoked ones too */
                includeRevoked?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "tokens": [
                     *         {
                     *           "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "token": "ra_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGaQ1",
                     *           "hint": "ra_Ab3d...",
                     *           "name": "Search team",
                     *           "role": "manager",
                     *           "reach": {
                     *             "organizationId": "acme",
                     *             "teamId": "search",
                     *             "projectId": null
                     *           },
                     *           "expiresAt": "2026-12-01T00:00:00.000Z",
                     *           "createdAt": "2026-12-01T00:00:00.000Z",
                     *           "createdBy": "ada",
                     *           "revokedAt": null
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "limit": 1,
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": {
                        tokens: {
                            /** @description UUID */
                            id: string;
                            /**
                             * @description the secret itself: shown once, in the answer that made it
                             * @example ra_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGaQ1
                             */
                            token?: string;
                            hint: string | null;
                            /** @description for people */
                            name: string;
                            /**
                             * @description administrator: everything; manager: changes what is in its reach; viewer: sees it
                             * @example manager
                             * @enum {unknown}
                             */
                            role: "administrator" | "manager" | "viewer";
                            reach: {
                                organizationId: string;
                                teamId: string | null;
                                projectId: string | null;
                            } | null;
                            expiresAt: string | null;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            createdAt: string;
                            createdBy: string | null;
                            revokedAt: string | null;
                        }[];
                        /** @description of this page */
                        count: number;
                        limit: number;
                        nextCursor: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postTokens: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Ada",
                 *       "role": "manager",
                 *       "reach": {
                 *         "organizationId": "acme",
                 *         "teamId": "search"
                 *       }
                 *     }
                 */
                "application/json": {
                    /** @description for people */
                    name: string;
                    /**
                     * @description administrator: everything; manager: changes what is in its reach; viewer: sees it
                     * @example manager
                     * @enum {unknown}
                     */
                    role: "administrator" | "manager" | "viewer";
                    reach?: {
                        /** @description the organization */
                        organizationId: string;
                        teamId?: string | null;
                        projectId?: string | null;
                    } | null;
                    expiresAt?: string | null;
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "token": "ra_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGaQ1",
                     *       "hint": "ra_Ab3d...",
                     *       "name": "Search team",
                     *       "role": "manager",
                     *       "reach": {
                     *         "organizationId": "acme",
                     *         "teamId": "search",
                     *         "projectId": null
                     *       },
                     *       "expiresAt": "2026-12-01T00:00:00.000Z",
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "createdBy": "ada",
                     *       "revokedAt": null
                     *     }
                     */
                    "application/json": {
                        /** @description UUID */
                        id: string;
                        /**
                         * @description the secret itself: shown once, in the answer that made it
                         * @example ra_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGaQ1
                         */
                        token?: string;
                        hint: string | null;
                        /** @description for people */
                        name: string;
                        /**
                         * @description administrator: everything; manager: changes what is in its reach; viewer: sees it
                         * @example manager
                         * @enum {unknown}
                         */
                        role: "administrator" | "manager" | "viewer";
                        reach: {
                            organizationId: string;
                            teamId: string | null;
                            projectId: string | null;
                        } | null;
                        expiresAt: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        createdBy: string | null;
                        revokedAt: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "token": "ra_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGaQ1",
                     *       "hint": "ra_Ab3d...",
                     *       "name": "Search team",
                     *       "role": "manager",
                     *       "reach": {
                     *         "organizationId": "acme",
                     *         "teamId": "search",
                     *         "projectId": null
                     *       },
                     *       "expiresAt": "2026-12-01T00:00:00.000Z",
                     *       "createdAt": "2026-12-01T00:00:00.000Z",
                     *       "createdBy": "ada",
                     *       "revokedAt": null
                     *     }
                     */
                    "application/json": {
                        /** @description UUID */
                        id: string;
                        /**
                         * @description the secret itself: shown once, in the answer that made it
                         * @example ra_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGaQ1
                         */
                        token?: string;
                        hint: string | null;
                        /** @description for people */
                        name: string;
                        /**
                         * @description administrator: everything; manager: changes what is in its reach; viewer: sees it
                         * @example manager
                         * @enum {unknown}
                         */
                        role: "administrator" | "manager" | "viewer";
                        reach: {
                            organizationId: string;
                            teamId: string | null;
                            projectId: string | null;
                        } | null;
                        expiresAt: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        createdAt: string;
                        createdBy: string | null;
                        revokedAt: string | null;
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    deleteToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done; there is nothing to tell. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            413: components["responses"]["body_too_large"];
            414: components["responses"]["url_too_long"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    postUsageBatch: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, and happens once, e.g. 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55 */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "records": [
                 *         {
                 *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                 *           "id": "invoice-2026-11/17",
                 *           "amount": "12.50",
                 *           "currency": "USD",
                 *           "timestamp": "2026-01-15T09:15:00.000Z",
                 *           "source": "auterity",
                 *           "description": "Nightly classification",
                 *           "metadata": {
                 *             "requestId": "req-1f",
                 *             "modelId": "gpt-4o",
                 *             "teamId": "search"
                 *           }
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": {
                    /** @description all of them are recorded, or none */
                    records: {
                        /**
                         * @description on which it is counted, and on all above it
                         * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                         */
                        budgetId: string;
                        id?: string | null;
                        /**
                         * @description 0 or more, at most 9,000,000,000, at most 9 decimals; negative where it reverses a record: what is taken back of it
                         * @example 12.50
                         */
                        amount: string | number;
                        currency?: string | null;
                        timestamp?: string | null;
                        /**
                         * @description who says so
                         * @default manual
                         * @enum {unknown}
                         */
                        source?: "relaycore" | "auterity" | "manual";
                        description?: string | null;
                        metadata?: ({
                            requestId?: string | null;
                            provider?: string | null;
                            modelId?: string | null;
                            userId?: string | null;
                            teamId?: string | null;
                            projectId?: string | null;
                            tags?: {
                                [key: string]: string;
                            } | null;
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        reverses?: string | null;
                    }[];
                };
            };
        };
        responses: {
            /** @description It is made. */
            201: {
                headers: {
                    /** @description Path of the object that was made. */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "usage": [
                     *         {
                     *           "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "amount": "12.5",
                     *           "currency": "USD",
                     *           "timestamp": "2026-11-24T09:15:00.000Z",
                     *           "source": "relaycore",
                     *           "description": "What the search team may spend",
                     *           "certainty": "exact",
                     *           "quote": "0.0124",
                     *           "rate": "0.92",
                     *           "original": {
                     *             "amount": "12.5",
                     *             "currency": "USD"
                     *           },
                     *           "callerId": "invoice-2026-11/17",
                     *           "reverses": "text",
                     *           "openedAt": "2026-12-01T00:00:00.000Z",
                     *           "endedAt": "2026-12-01T00:00:00.000Z",
                     *           "recordedAt": "2026-12-01T00:00:00.000Z",
                     *           "consumed": {
                     *             "inputTokens": 1,
                     *             "cacheReadTokens": 1,
                     *             "cacheWrite5mTokens": 1,
                     *             "cacheWrite1hTokens": 1,
                     *             "outputTokens": 1,
                     *             "reasoningTokens": 1,
                     *             "webSearches": 1,
                     *             "tier": "text",
                     *             "units": {
                     *               "inputAudioTokens": 1200
                     *             }
                     *           },
                     *           "metadata": {
                     *             "requestId": "text",
                     *             "provider": "text",
                     *             "modelId": "text",
                     *             "userId": null,
                     *             "teamId": "search",
                     *             "projectId": null,
                     *             "tags": {
                     *               "costCenter": "4711"
                     *             },
                     *             "outcome": "completed"
                     *           }
                     *         }
                     *       ],
                     *       "count": 1
                     *     }
                     */
                    "application/json": {
                        /** @description in the order of the records */
                        usage: {
                            /**
                             * @description of the record; it begins with the time at which it counts
                             * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                             */
                            id: string;
                            budgetId: string;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /** @example USD */
                            currency: string;
                            /**
                             * @description when it counts: when the call opened, or what its recorder said
                             * @example 2026-11-24T09:15:00.000Z
                             */
                            timestamp: string;
                            /**
                             * @description who says so
                             * @enum {unknown}
                             */
                            source: "relaycore" | "auterity" | "manual";
                            description: string | null;
                            /**
                             * @description exact: reported by the provider, or recorded; estimated: from what was seen of the answer; uncertain: charged at the quote
                             * @enum {unknown}
                             */
                            certainty: "exact" | "estimated" | "uncertain";
                            /**
                             * @description the most that the call could cost; 0 for what was not held
                             * @example 0.0124
                             */
                            quote: string;
                            rate: string | null;
                            /** @description as it was recorded; of a call, its cost in USD */
                            original: {
                                /**
                                 * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                                 * @example 12.5
                                 */
                                amount: string;
                                /** @example USD */
                                currency: string;
                            };
                            callerId: string | null;
                            reverses: string | null;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            openedAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            endedAt: string;
                            /**
                             * @description RFC 3339, in UTC
                             * @example 2026-12-01T00:00:00.000Z
                             */
                            recordedAt: string;
                            consumed: {
                                /** @description of text, without those read from or written to a cache */
                                inputTokens: number;
                                cacheReadTokens: number;
                                /** @description written to the cache for the shorter time that the provider has */
                                cacheWrite5mTokens: number;
                                /** @description for the longer time */
                                cacheWrite1hTokens: number;
                                /** @description of text, with those of reasoning */
                                outputTokens: number;
                                reasoningTokens: number;
                                webSearches: number;
                                tier: string | null;
                                /**
                                 * @description what is billed beside text, by name; absent: nothing
                                 * @example {
                                 *       "inputAudioTokens": 1200
                                 *     }
                                 */
                                units?: {
                                    [key: string]: number;
                                };
                            } | null;
                            metadata: {
                                requestId: string | null;
                                provider: string | null;
                                modelId: string | null;
                                userId: string | null;
                                teamId: string | null;
                                projectId: string | null;
                                tags: {
                                    [key: string]: string;
                                } | null;
                                /**
                                 * @description how the call ended; recorded, or reversed
                                 * @example completed
                                 */
                                outcome: string;
                            } & {
                                [key: string]: unknown;
                            };
                        }[];
                        count: number;
                    };
                };
            };
            400: components["responses"]["invalid_body.invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            409: components["responses"]["budget_in_use.conflict"];
            413: components["responses"]["body_too_large"];
            415: components["responses"]["unsupported_media_type"];
            422: components["responses"]["idempotency_key_reused.unprocessable"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
    getUsage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was asked for. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55",
                     *       "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *       "amount": "12.5",
                     *       "currency": "USD",
                     *       "timestamp": "2026-11-24T09:15:00.000Z",
                     *       "source": "relaycore",
                     *       "description": "What the search team may spend",
                     *       "certainty": "exact",
                     *       "quote": "0.0124",
                     *       "rate": "0.92",
                     *       "original": {
                     *         "amount": "12.5",
                     *         "currency": "USD"
                     *       },
                     *       "callerId": "invoice-2026-11/17",
                     *       "reverses": "text",
                     *       "openedAt": "2026-12-01T00:00:00.000Z",
                     *       "endedAt": "2026-12-01T00:00:00.000Z",
                     *       "recordedAt": "2026-12-01T00:00:00.000Z",
                     *       "consumed": {
                     *         "inputTokens": 1,
                     *         "cacheReadTokens": 1,
                     *         "cacheWrite5mTokens": 1,
                     *         "cacheWrite1hTokens": 1,
                     *         "outputTokens": 1,
                     *         "reasoningTokens": 1,
                     *         "webSearches": 1,
                     *         "tier": "text",
                     *         "units": {
                     *           "inputAudioTokens": 1200
                     *         }
                     *       },
                     *       "metadata": {
                     *         "requestId": "text",
                     *         "provider": "text",
                     *         "modelId": "text",
                     *         "userId": null,
                     *         "teamId": "search",
                     *         "projectId": null,
                     *         "tags": {
                     *           "costCenter": "4711"
                     *         },
                     *         "outcome": "completed"
                     *       },
                     *       "charges": [
                     *         {
                     *           "budgetId": "01912d68-783e-7a03-8467-5661c1243ad4",
                     *           "amount": "12.5",
                     *           "currency": "USD",
                     *           "rate": "0.92"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description of the record; it begins with the time at which it counts
                         * @example 01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55
                         */
                        id: string;
                        budgetId: string;
                        /**
                         * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                         * @example 12.5
                         */
                        amount: string;
                        /** @example USD */
                        currency: string;
                        /**
                         * @description when it counts: when the call opened, or what its recorder said
                         * @example 2026-11-24T09:15:00.000Z
                         */
                        timestamp: string;
                        /**
                         * @description who says so
                         * @enum {unknown}
                         */
                        source: "relaycore" | "auterity" | "manual";
                        description: string | null;
                        /**
                         * @description exact: reported by the provider, or recorded; estimated: from what was seen of the answer; uncertain: charged at the quote
                         * @enum {unknown}
                         */
                        certainty: "exact" | "estimated" | "uncertain";
                        /**
                         * @description the most that the call could cost; 0 for what was not held
                         * @example 0.0124
                         */
                        quote: string;
                        rate: string | null;
                        /** @description as it was recorded; of a call, its cost in USD */
                        original: {
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /** @example USD */
                            currency: string;
                        };
                        callerId: string | null;
                        reverses: string | null;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        openedAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        endedAt: string;
                        /**
                         * @description RFC 3339, in UTC
                         * @example 2026-12-01T00:00:00.000Z
                         */
                        recordedAt: string;
                        consumed: {
                            /** @description of text, without those read from or written to a cache */
                            inputTokens: number;
                            cacheReadTokens: number;
                            /** @description written to the cache for the shorter time that the provider has */
                            cacheWrite5mTokens: number;
                            /** @description for the longer time */
                            cacheWrite1hTokens: number;
                            /** @description of text, with those of reasoning */
                            outputTokens: number;
                            reasoningTokens: number;
                            webSearches: number;
                            tier: string | null;
                            /**
                             * @description what is billed beside text, by name; absent: nothing
                             * @example {
                             *       "inputAudioTokens": 1200
                             *     }
                             */
                            units?: {
                                [key: string]: number;
                            };
                        } | null;
                        metadata: {
                            requestId: string | null;
                            provider: string | null;
                            modelId: string | null;
                            userId: string | null;
                            teamId: string | null;
                            projectId: string | null;
                            tags: {
                                [key: string]: string;
                            } | null;
                            /**
                             * @description how the call ended; recorded, or reversed
                             * @example completed
                             */
                            outcome: string;
                        } & {
                            [key: string]: unknown;
                        };
                        /** @description what it costs each budget that it was charged to, as far as you may see them */
                        charges: {
                            budgetId: string;
                            /**
                             * @description decimal amount in the currency of the budget, without exponent or trailing zeros
                             * @example 12.5
                             */
                            amount: string;
                            /** @example USD */
                            currency: string;
                            rate: string | null;
                        }[];
                    };
                };
            };
            400: components["responses"]["invalid_field"];
            401: components["responses"]["unauthorized"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not_found"];
            414: components["responses"]["url_too_long"];
            429: components["responses"]["too_many_failures"];
            500: components["responses"]["internal_error"];
            503: components["responses"]["dependency_unavailable"];
        };
    };
}
