/**
 * The examples about money, in the shape of `examples.js`: a purchase, refunds, a bank transfer, earnings and payouts.
 */
export const MONEY_EXAMPLES = [
  {
    title: 'My purchases',
    about: 'Transactions of all kinds, with receipts and refunds.',
    viewer: 'learner',
    variables: undefined,
    query: `query MyPurchases {
  transactions(first: 10) {
    totalCount
    nodes {
      reference
      status
      paymentMethod
      amount {
        amount
        currency
      }
      refundedAmount {
        amount
      }
      # A PDF, if something was paid.
      receiptUrl
      course {
        title
      }
      refunds {
        status
        reason
      }
    }
  }
}
`,
  },
  {
    title: 'Buy a course: a price that has changed',
    about: 'The buyer has seen another price, so nothing is bought.',
    viewer: 'learner',
    variables: { courseId: '', price: '39.99', key: 'a price that has changed' },
    query: `# The id of a course with a price,
# such as
#   web-development-with-django.
# The answer is PRICE_CHANGED.
mutation BuyAtOldPrice($courseId: ID!, $price: Decimal!, $key: String!) {
  purchaseCourse(input: {
    courseId: $courseId
    paymentMethod: FAKE
    expectedPrice: $price
    idempotencyKey: $key
  }) {
    transaction {
      id
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Buy a course: start',
    about: 'A purchase with the built-in gateway, and its page to pay.',
    viewer: 'learner',
    variables: { courseId: '', price: '49.99', key: 'my first purchase' },
    query: `# Open checkoutUrl in a new tab,
# and pay or decline. No money moves.
# The same key buys only once.
mutation BuyCourse($courseId: ID!, $price: Decimal!, $key: String!) {
  purchaseCourse(input: {
    courseId: $courseId
    paymentMethod: FAKE
    expectedPrice: $price
    idempotencyKey: $key
  }) {
    transaction {
      id
      reference
      status
    }
    checkoutUrl
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Buy a course: after the payment',
    about: 'What a return page asks: is it paid, and is there access?',
    viewer: 'learner',
    variables: { transactionId: '' },
    query: `# The id of the purchase that you
# have started.
query AfterPayment($transactionId: ID!) {
  transaction: node(id: $transactionId) {
    ... on Transaction {
      status
      completedAt
      amount {
        amount
        currency
      }
      receiptUrl
      course {
        title
        viewerEnrollment {
          status
          source
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Refund a purchase',
    about: 'All of the money back, within 30 days and before much is done.',
    viewer: 'learner',
    variables: { transactionId: '', reason: 'I have no time for it.', key: 'my first refund' },
    query: `# The id of the purchase that you
# have paid.
mutation RefundPurchase($transactionId: ID!, $reason: String!, $key: String!) {
  refundTransaction(input: {
    transactionId: $transactionId
    reason: $reason
    idempotencyKey: $key
  }) {
    transaction {
      status
      refundedAmount {
        amount
        currency
      }
      refunds {
        status
        completedAt
      }
      course {
        viewerEnrollment {
          status
        }
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Bank transfers: what waits',
    about: 'Purchases that are not paid, of all buyers.',
    viewer: 'admin',
    variables: { filter: { status: 'PENDING' } },
    query: `query WaitingTransfers($filter: TransactionFilter) {
  transactions(filter: $filter, first: 10) {
    nodes {
      id
      # The buyer writes it on the transfer.
      reference
      paymentMethod
      createdAt
      amount {
        amount
        currency
      }
      user {
        fullName
      }
      course {
        title
      }
    }
  }
}
`,
  },
  {
    title: 'Bank transfers: confirm one',
    about: 'The money has arrived, so the buyer gets access.',
    viewer: 'admin',
    variables: { transferId: '', bankReference: 'Statement 12, line 3' },
    query: `# The id of a transfer that waits.
mutation ConfirmTransfer($transferId: ID!, $bankReference: String) {
  confirmBankTransfer(input: {
    transactionId: $transferId
    externalReference: $bankReference
  }) {
    transaction {
      status
      completedAt
      receiptUrl
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Refund a part',
    about: 'Some of the money back. The buyer keeps the access.',
    viewer: 'admin',
    variables: { transferId: '', amount: '10.00', reason: 'The last section is late.', key: 'a part' },
    query: `# The id of the transfer that you
# have confirmed.
mutation RefundPart($transferId: ID!, $amount: Decimal, $reason: String!, $key: String!) {
  refundTransaction(input: {
    transactionId: $transferId
    amount: $amount
    reason: $reason
    idempotencyKey: $key
  }) {
    transaction {
      status
      netAmount {
        amount
        currency
      }
      refunds {
        amount {
          amount
        }
        reason
        status
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Earnings and balances',
    about: 'What my courses have earned, and what was paid out.',
    viewer: 'instructor',
    variables: undefined,
    query: `query MyEarnings {
  me {
    commissionRate
    teaching {
      balances {
        currency
        pending {
          amount
        }
        available {
          amount
        }
        paid {
          amount
        }
      }
      earnings(first: 10) {
        nodes {
          status
          netAmount {
            amount
          }
          # Negative: refunded after a payout.
          amount {
            amount
            currency
          }
          commissionRate
          availableAt
          course {
            title
          }
        }
      }
      payouts(first: 5) {
        nodes {
          reference
          status
          amount {
            amount
            currency
          }
          statementUrl
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Payouts: run',
    about: 'A payout for each instructor with 50.00 or more.',
    viewer: 'admin',
    variables: { periodEnd: '2026-02-01T00:00:00Z', key: 'January 2026' },
    query: `# It takes earnings that became
# available before periodEnd.
mutation RunPayouts($periodEnd: DateTime!, $key: String!) {
  runPayouts(input: {periodEnd: $periodEnd, idempotencyKey: $key}) {
    payouts {
      id
      reference
      status
      amount {
        amount
        currency
      }
      commissionRate
      instructor {
        fullName
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    title: 'Payouts: settle one',
    about: 'The money was transferred, or it was not.',
    viewer: 'admin',
    variables: { payoutId: '', outcome: 'PAID', bankReference: 'SEPA 2026-02-03' },
    query: `# The id of a payout that is SCHEDULED.
mutation SettlePayout($payoutId: ID!, $outcome: PayoutOutcome!, $bankReference: String) {
  settlePayout(input: {
    payoutId: $payoutId
    outcome: $outcome
    externalReference: $bankReference
  }) {
    payout {
      status
      processedAt
      # A PDF with the earnings.
      statementUrl
    }
    errors {
      code
      message
      path
    }
  }
}
`,
  },
];
